//! What a network's publisher does to an image before the network sees it.

use serde::Serialize;

/// How an image becomes the input of a network, as its publisher evaluates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Preprocessing {
    /// Height and width of the network's input, in pixels.
    pub image_size: usize,
    /// The pixels that the image is resized to first; of what, [`Preprocessing::crop`] says.
    pub resize_size: usize,
    /// The filter of that.
    pub interpolation: Interpolation,
    /// What is taken of the resized image.
    pub crop: Crop,
    /// How a pixel becomes a number.
    pub scaling: Scaling,
}

/// The filter of a resize.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// The nearest pixel, which skips pixels where the image shrinks.
    Nearest,
    /// Linear between pixels, over the area that shrinks into one (Pillow's antialiasing).
    Bilinear,
    /// Cubic between pixels, over the area that shrinks into one (Pillow's antialiasing).
    Bicubic,
}

/// What is taken of a resized image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Crop {
    /// The shorter side is resized to [`Preprocessing::resize_size`], the longer one in proportion, and the square in the
    /// center is cut out.
    Center,
    /// All of it: both sides are resized to [`Preprocessing::resize_size`], whatever the proportions were.
    None,
}

/// How a pixel, red, green and blue from 0 to 255, becomes three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// From -1 to 1: divided by 127.5, less 1.
    Symmetric,
    /// Divided by 255, less the mean (0.485, 0.456, 0.406), divided by the deviation (0.229, 0.224, 0.225).
    #[serde(rename = "imagenet")]
    ImageNet,
    /// Blue, green and red in this order, less their mean (103.939, 116.779, 123.68) and not divided, as in Caffe.
    CaffeBgr,
}
