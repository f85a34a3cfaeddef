//! Writing the safetensors format.

use std::collections::BTreeMap;
use std::io::{self, Write};

use safetensors::View;
use safetensors::tensor::TensorInfo;

/// Alignment of the header's length, and so of the tensors, in bytes.
const ALIGNMENT: usize = 8;

/// Writes tensors and metadata as safetensors.
///
/// The bytes depend on the contents alone. The crate `safetensors` keeps the metadata in a hash map, whose order is
/// another in every process; here they are sorted. Tensors are sorted as that crate does it, by the size of their
/// elements and then by name.
///
/// # Errors
///
/// If the writer fails.
pub fn write_safetensors<V: View>(
    writer: &mut impl Write,
    tensors: Vec<(String, V)>,
    metadata: &BTreeMap<String, String>,
) -> io::Result<()> {
    let mut tensors = tensors;
    tensors.sort_by(|(left_name, left), (right_name, right)| {
        right
            .dtype()
            .cmp(&left.dtype())
            .then(left_name.cmp(right_name))
    });
    let mut header = String::from("{");
    if !metadata.is_empty() {
        header += &format!("\"__metadata__\":{}", serde_json::to_string(metadata)?);
    }
    let mut end = 0;
    for (name, tensor) in &tensors {
        let start = end;
        end += tensor.data_len();
        let info = TensorInfo {
            dtype: tensor.dtype(),
            shape: tensor.shape().to_vec(),
            data_offsets: (start, end),
        };
        let separator = if header.len() > 1 { "," } else { "" };
        let (name, info) = (serde_json::to_string(name)?, serde_json::to_string(&info)?);
        header += &format!("{separator}{name}:{info}");
    }
    header.push('}');
    let length = header.len().next_multiple_of(ALIGNMENT);
    // In bytes: a format's width would count characters.
    header.extend(std::iter::repeat_n(' ', length - header.len()));
    writer.write_all(&(length as u64).to_le_bytes())?;
    writer.write_all(header.as_bytes())?;
    for (_, tensor) in &tensors {
        writer.write_all(&tensor.data())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;
    use safetensors::{Dtype, SafeTensors};

    use super::*;

    #[test]
    fn the_format_is_valid_and_sorted() {
        let (floats, count) = ([0.5_f32, 2.0].map(f32::to_le_bytes).concat(), [7; 8]);
        let view = |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), bytes);
        let tensors = vec![
            ("b".to_owned(), view(Dtype::F32, &[2], &floats).unwrap()),
            (
                "a\"ü".to_owned(),
                view(Dtype::F32, &[1, 2], &floats).unwrap(),
            ),
            ("n".to_owned(), view(Dtype::I64, &[], &count).unwrap()),
        ];
        let keys = ["z", "k", "a", "x", "m"].map(|key| (key.to_owned(), format!("{key}ö")));
        let metadata = BTreeMap::from(keys);
        let mut bytes = Vec::new();
        write_safetensors(&mut bytes, tensors, &metadata).unwrap();

        let (length, header) = SafeTensors::read_metadata(&bytes).unwrap();
        assert_eq!(length % ALIGNMENT, 0);
        assert_eq!(header.metadata().as_ref().unwrap().len(), 5);
        assert_eq!(header.metadata().as_ref().unwrap()["m"], "mö");
        let read = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(read.tensor("b").unwrap().data(), floats);
        assert_eq!(read.tensor("a\"ü").unwrap().shape(), [1, 2]);
        assert_eq!(read.tensor("n").unwrap().data(), count);
        let text = String::from_utf8_lossy(&bytes[8..8 + length]);
        let places = [
            "\"a\":",
            "\"k\":",
            "\"m\":",
            "\"x\":",
            "\"z\":",
            "\"n\":",
            "\"a\\\"ü\":",
            "\"b\":",
        ]
        .map(|key| text.find(key).unwrap());
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn nothing_is_a_valid_file_too() {
        let mut bytes = Vec::new();
        write_safetensors(
            &mut bytes,
            Vec::<(String, TensorView)>::new(),
            &BTreeMap::new(),
        )
        .unwrap();
        assert!(SafeTensors::deserialize(&bytes).unwrap().is_empty());
    }
}
