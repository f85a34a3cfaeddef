//! A JPEG decoder whose pixels are those of libjpeg-turbo, and so of Pillow, torchvision and TensorFlow.
//!
//! The standard (ITU-T T.81) leaves the rounding of the inverse cosine transform and the interpolation
//! of subsampled color to the decoder, and two decoders can differ by tens of 255 at edges. This one
//! does both as libjpeg-turbo does with its default settings: the accurate integer transform
//! (`islow`), triangular interpolation ("fancy upsampling") and fixed-point color conversion.
//!
//! Sequential and progressive Huffman-coded files of 8 bits with one, three or four components are
//! read; arithmetic coding, lossless and hierarchical files are errors. One thing differs: libjpeg
//! smooths the blocks of a progressive file that never sends its finest coefficients, which no encoder
//! writes on its own.
//!
//! Damage is an error where libjpeg warns and goes on with gray or wrong blocks. Bytes between two
//! segments, and after the end of the image, are no damage.

mod bits;
mod blocks;
mod color;
mod decoder;
mod error;
mod frame;
mod huffman;
mod marker;
mod reduced_transform;
mod scan;
mod section;
mod segments;
mod standard_tables;
mod transform;
mod upsample;

pub(super) use decoder::Decoder;
pub use error::JpegError;
pub(super) use section::Section;
