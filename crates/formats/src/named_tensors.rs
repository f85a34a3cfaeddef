//! Tensors by their names in a file, read when they are asked for.

use std::collections::BTreeMap;

use half::{bf16, f16};

/// The most numbers that one tensor may have: 1 GiB in single precision. The largest of the
/// published networks here has 2.4 million.
pub(crate) const MAX_ELEMENTS: usize = 1 << 28;

/// The type in which a file stores a number, in little-endian order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    /// Half precision.
    F16,
    /// Brain floating point.
    BF16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// Anything else, such as the integers that count batches. It is named, but not read.
    Other,
}

impl ElementType {
    const fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Other => 0,
        }
    }
}

/// Reads a tensor's bytes, row-major.
type ReadBytes = dyn Fn() -> Result<Vec<u8>, String> + Send + Sync;

/// A tensor in a file: its shape now, its numbers when they are asked for.
pub struct NamedTensor {
    shape: Vec<usize>,
    element: ElementType,
    read: Box<ReadBytes>,
}

impl std::fmt::Debug for NamedTensor {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.element, self.shape)
    }
}

impl NamedTensor {
    /// Creates a tensor whose little-endian bytes `read` returns.
    pub fn new(
        shape: Vec<usize>,
        element: ElementType,
        read: impl Fn() -> Result<Vec<u8>, String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            shape,
            element,
            read: Box::new(read),
        }
    }

    /// Creates a single-precision tensor of values in memory, row-major.
    pub fn from_values(shape: Vec<usize>, values: Vec<f32>) -> Self {
        Self::new(shape, ElementType::F32, move || {
            Ok(values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect())
        })
    }

    /// Returns the shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Returns the type in which the file stores the numbers.
    pub fn element(&self) -> ElementType {
        self.element
    }

    /// Drops the dimensions of size one, which changes nothing in memory.
    pub(crate) fn drop_unit_dims(&mut self) {
        self.shape.retain(|&size| size != 1);
    }

    /// Leaves out the first entry along the first dimension, such as the first row of a matrix.
    #[must_use]
    pub fn without_first(self) -> Self {
        let parts = self.shape.split_first().filter(|(first, _)| **first > 0);
        let Some((&first, rest)) = parts else {
            return self;
        };
        let shape = [&[first - 1], rest].concat();
        let entry = elements(rest).and_then(|entry| entry.checked_mul(self.element.bytes()));
        Self::new(shape, self.element, move || {
            let mut bytes = (self.read)()?;
            match entry.filter(|&entry| entry <= bytes.len()) {
                Some(entry) => Ok(bytes.split_off(entry)),
                None => Err("it is shorter than its shape says".to_owned()),
            }
        })
    }

    /// Reads the numbers in single precision, row-major.
    ///
    /// # Errors
    ///
    /// If the file is damaged, the tensor is too large to be a weight, or it isn't made of
    /// floating-point numbers. The message says which.
    pub fn read(&self) -> Result<Vec<f32>, String> {
        if self.element == ElementType::Other {
            return Err("it isn't made of floating-point numbers".to_owned());
        }
        let elements = elements(&self.shape)
            .filter(|&elements| elements <= MAX_ELEMENTS)
            .ok_or_else(|| format!("its shape {:?} is too large", self.shape))?;
        let bytes = (self.read)()?;
        let expected = elements * self.element.bytes();
        if bytes.len() != expected {
            return Err(format!(
                "its shape {:?} takes {expected} bytes, but there are {}",
                self.shape,
                bytes.len()
            ));
        }
        Ok(to_f32(&bytes, self.element))
    }
}

/// Returns the number of elements of a shape; `None` if it overflows.
pub fn elements(shape: &[usize]) -> Option<usize> {
    shape
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
}

fn to_f32(bytes: &[u8], element: ElementType) -> Vec<f32> {
    fn each<const N: usize>(bytes: &[u8], convert: impl Fn([u8; N]) -> f32) -> Vec<f32> {
        let (chunks, _) = bytes.as_chunks::<N>();
        chunks.iter().map(|chunk| convert(*chunk)).collect()
    }
    match element {
        ElementType::F16 => each(bytes, |b| f16::from_le_bytes(b).to_f32()),
        ElementType::BF16 => each(bytes, |b| bf16::from_le_bytes(b).to_f32()),
        ElementType::F32 => each(bytes, f32::from_le_bytes),
        ElementType::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        ElementType::Other => Vec::new(),
    }
}

/// The tensors of a file in the order of their names, and what else the file says about them.
#[derive(Debug, Default)]
pub struct NamedTensors {
    /// The tensors.
    pub tensors: BTreeMap<String, NamedTensor>,
    /// Text that the file keeps beside them.
    pub metadata: BTreeMap<String, String>,
}

impl NamedTensors {
    /// Returns the shape of the tensor of this name; `None` if there is none.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(NamedTensor::shape)
    }

    /// Returns whether there is a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Returns the names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Keeps the tensors whose names start with `prefix`, and removes it from the names.
    pub fn strip(self, prefix: &str) -> Self {
        if prefix.is_empty() {
            return self;
        }
        let tensors = self.tensors.into_iter().filter_map(|(name, tensor)| {
            let rest = name.strip_prefix(prefix)?.to_owned();
            Some((rest, tensor))
        });
        Self {
            tensors: tensors.collect(),
            metadata: self.metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_floating_point_type_becomes_single_precision() {
        let values = [1.5f32, -0.25, 0.0];
        let read = |element, bytes: Vec<u8>| {
            let tensor = NamedTensor::new(vec![3], element, move || Ok(bytes.clone()));
            tensor.read().unwrap()
        };
        let f16s = values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes());
        let bf16s = values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes());
        let f64s = values.iter().flat_map(|v| f64::from(*v).to_le_bytes());
        assert_eq!(read(ElementType::F16, f16s.collect()), values);
        assert_eq!(read(ElementType::BF16, bf16s.collect()), values);
        assert_eq!(read(ElementType::F64, f64s.collect()), values);
        let tensor = NamedTensor::from_values(vec![3], values.to_vec());
        assert_eq!(tensor.read().unwrap(), values);
    }

    #[test]
    fn the_first_entry_is_left_out() {
        let values: Vec<f32> = (0..6).map(|i| i as f32).collect();
        let tensor = |shape: &[usize]| NamedTensor::from_values(shape.to_vec(), values.clone());
        let matrix = tensor(&[3, 2]).without_first();
        assert_eq!(matrix.shape(), [2, 2]);
        assert_eq!(matrix.read().unwrap(), values[2..]);
        let vector = tensor(&[6]).without_first();
        assert_eq!(vector.shape(), [5]);
        assert_eq!(vector.read().unwrap(), values[1..]);
        let halves = [f16::from_f32(0.5), f16::from_f32(1.5)].map(f16::to_le_bytes);
        let halves = NamedTensor::new(vec![2], ElementType::F16, move || Ok(halves.concat()));
        assert_eq!(halves.without_first().read().unwrap(), [1.5]);
        let nothing = NamedTensor::from_values(vec![0, 2], Vec::new()).without_first();
        assert_eq!(nothing.shape(), [0, 2]);
        assert_eq!(nothing.read(), Ok(Vec::new()));
        assert_eq!(
            NamedTensor::from_values(vec![], vec![1.0])
                .without_first()
                .read(),
            Ok(vec![1.0])
        );
        for shape in [&[4, 2][..], &[3, 3], &[2, 1 << 62]] {
            assert!(tensor(shape).without_first().read().is_err(), "{shape:?}");
        }
    }

    #[test]
    fn what_does_not_fit_its_shape_is_an_error() {
        let read = |shape: &[usize], element, bytes: usize| {
            NamedTensor::new(shape.to_vec(), element, move || Ok(vec![0; bytes])).read()
        };
        assert_eq!(read(&[2, 2], ElementType::F32, 16), Ok(vec![0.0; 4]));
        for (shape, element, bytes, expected) in [
            (
                &[2, 2][..],
                ElementType::F32,
                15,
                "takes 16 bytes, but there are 15",
            ),
            (&[usize::MAX, 2], ElementType::F32, 16, "is too large"),
            (
                &[1 << 40],
                ElementType::F32,
                16,
                "its shape [1099511627776] is too large",
            ),
            (
                &[2],
                ElementType::Other,
                2,
                "it isn't made of floating-point numbers",
            ),
        ] {
            let error = read(shape, element, bytes).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
