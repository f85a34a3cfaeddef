//! Image classification in a web page: what its worker calls.
//!
//! One network at a time is loaded from the bytes of a weights file, and classifies photos given as the bytes of image files, which are
//! decoded and prepared here as the program does it. Results are JSON, or the bytes of a PNG file. Errors are sentences.

use std::error::Error;

use burn::prelude::*;
use serde::Serialize;
use wasm_bindgen::prelude::*;
use xception_models::preprocessing::{DecodeOptions, Heatmap, decode_image};
use xception_models::weights::{LoadOptions, Loaded, WeightsFile, load};
use xception_models::{Fused, Model, Network, grad_cam_async, trainable_parameters};

/// A network in the page.
#[wasm_bindgen]
pub struct Classifier {
    loaded: Loaded,
    fused: Fused<Model>,
    device: Device,
}

/// What the page shows of a network.
#[derive(Serialize)]
struct Description {
    network: String,
    parameters: usize,
    classes: usize,
    /// Height and width of its images, in pixels.
    size: [usize; 2],
}

#[wasm_bindgen]
impl Classifier {
    /// Loads a network from the bytes of a weights file, which is called `name` in errors.
    pub async fn load(name: String, bytes: Vec<u8>) -> Result<Classifier, JsError> {
        let device = device().await?;
        let file = WeightsFile::in_memory(name, bytes);
        let loaded = load(&file, &LoadOptions::default(), &device).map_err(sentence)?;
        let fused = loaded.model.fuse();
        Ok(Self {
            loaded,
            fused,
            device,
        })
    }

    /// Describes the network, as JSON.
    pub fn describe(&self) -> Result<String, JsError> {
        Ok(serde_json::to_string(&Description {
            network: self.loaded.config.name(),
            parameters: trainable_parameters(&self.loaded.model),
            classes: self.loaded.model.classes(),
            size: self.loaded.preprocessing.size,
        })?)
    }

    /// Decodes a photo, given as the bytes of an image file that errors call `name`, and prepares it for the network.
    pub fn prepare(&self, photo: &[u8], name: &str) -> Result<Prepared, JsError> {
        let photo = decode_image(photo, name, &DecodeOptions::default()).map_err(sentence)?;
        let preprocessing = &self.loaded.preprocessing;
        let input = preprocessing.apply(&photo).map_err(sentence)?;
        let [height, width] = preprocessing.size;
        let data = TensorData::new(input, [1, 3, height, width]);
        Ok(Prepared {
            photo,
            input: Tensor::from_data(data, &self.device),
        })
    }

    /// Returns the likeliest classes of a photo, in descending order, as JSON.
    pub async fn classify(&self, prepared: &Prepared, top: usize) -> Result<String, JsError> {
        let logits = read(self.fused.forward(prepared.input.clone())).await?;
        let classes = self.loaded.top_classes(&logits, top).map_err(sentence)?;
        Ok(serde_json::to_string(&classes)?)
    }

    /// Draws what speaks for a class over the photo, by Grad-CAM, and returns the bytes of a PNG file.
    pub async fn explain(&self, prepared: &Prepared, class: usize) -> Result<Vec<u8>, JsError> {
        let photo = &prepared.photo;
        let size = [photo.height(), photo.width()].map(|side| side as usize);
        let seen = self
            .loaded
            .preprocessing
            .seen_part(size)
            .map_err(sentence)?;
        let found = grad_cam_async(&self.loaded.model, prepared.input.clone(), Some(class)).await;
        let found = found.map_err(sentence)?;
        let heat = Heatmap::new(found.heat, found.size).map_err(sentence)?;
        Heatmap::to_png(&heat.over(photo, &seen)).map_err(sentence)
    }
}

/// A photo, ready for the network.
#[wasm_bindgen]
pub struct Prepared {
    photo: xception_models::preprocessing::RgbImage,
    /// `[1, 3, height, width]`
    input: Tensor<4>,
}

#[wasm_bindgen]
impl Prepared {
    /// Returns the network's input, `[1, 3, height, width]`, row by row: for comparisons with other engines.
    pub async fn values(&self) -> Result<Vec<f32>, JsError> {
        let pixels = self.input.clone().flatten::<2>(0, 2);
        read(pixels).await
    }
}

/// Returns the device of this build, once it can be used.
async fn device() -> Result<Device, JsError> {
    #[cfg(not(feature = "webgpu"))]
    {
        Ok(Device::flex())
    }
    #[cfg(feature = "webgpu")]
    {
        use std::cell::RefCell;

        thread_local! {
            // A device is initialized once.
            static READY: RefCell<Option<Device>> = const { RefCell::new(None) };
        }
        if let Some(device) = READY.with_borrow(Clone::clone) {
            return Ok(device);
        }
        let device = Device::wgpu_options()
            .init_async()
            .await
            .map_err(sentence)?;
        READY.set(Some(device.clone()));
        Ok(device)
    }
}

/// Reads a row of numbers from the device.
async fn read(tensor: Tensor<2>) -> Result<Vec<f32>, JsError> {
    let data = tensor.into_data_async().await;
    let data = data.map_err(|error| JsError::new(&format!("the device failed: {error}")))?;
    Ok(data.convert::<f32>().iter::<f32>().collect())
}

/// Returns the sentence that an error and its causes make.
fn sentence(error: impl Error + 'static) -> JsError {
    JsError::new(&xception_messages::with_causes(&error))
}
