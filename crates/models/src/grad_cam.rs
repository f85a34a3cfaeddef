//! Grad-CAM: a heat map of the parts of an image that speak for a class.
//!
//! R. Selvaraju et al., *Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
//! Localization*, ICCV 2017.

use burn::prelude::*;
use burn::tensor::activation::relu;

use crate::{ModelError, Network};

/// A prediction for an image, with the heat map that explains it.
#[derive(Debug, Clone, PartialEq)]
pub struct GradCam {
    /// Index of the explained class.
    pub class: usize,
    /// Logit of the class.
    pub logit: f32,
    /// Probability of the class by softmax, from 0 to 1.
    pub probability: f32,
    /// Contribution of each pixel of the last feature map to the class, 0 or more: `[height, width]` in row-major
    /// order.
    pub heat: Vec<f32>,
    /// Height and width of `heat`, in pixels of the feature map.
    pub size: [usize; 2],
}

/// Explains a class of one image by Grad-CAM: sums the channels of the last feature map, each weighted by the mean
/// gradient of the class's logit, and sets negative sums to zero (section 3, equations 1 and 2).
///
/// If `class` is `None`, the class with the highest logit is explained. The network runs in evaluation mode on any
/// device.
///
/// # Shapes
///
/// - `image`: `[1, 3, height, width]`
///
/// # Errors
///
/// If the network has no such class, or the image is smaller than [`minimum_size`](crate::Network::minimum_size).
pub fn grad_cam<N: Network>(
    network: &N,
    image: Tensor<4>,
    class: Option<usize>,
) -> Result<GradCam, ModelError> {
    let computed = Computed::new(network, image, class)?;
    let Computed {
        class,
        logits,
        heat,
    } = computed;
    Ok(GradCam::read(
        class.into_data(),
        logits.into_data(),
        heat.into_data(),
    ))
}

/// Explains a class of one image as [`grad_cam`] does, without waiting for the device: for programs that must not wait, such as a web
/// page with WebGPU.
///
/// # Shapes
///
/// Those of [`grad_cam`].
///
/// # Errors
///
/// Those of [`grad_cam`], and if the device fails.
pub async fn grad_cam_async<N: Network>(
    network: &N,
    image: Tensor<4>,
    class: Option<usize>,
) -> Result<GradCam, ModelError> {
    let Computed {
        class,
        logits,
        heat,
    } = Computed::new(network, image, class)?;
    let failed = |error| ModelError::Device {
        cause: format!("{error}"),
    };
    Ok(GradCam::read(
        class.into_data_async().await.map_err(failed)?,
        logits.into_data_async().await.map_err(failed)?,
        heat.into_data_async().await.map_err(failed)?,
    ))
}

/// What a device has computed, or is about to.
struct Computed {
    /// The class, `[1, 1]`.
    class: Tensor<2, Int>,
    /// `[1, classes]`
    logits: Tensor<2>,
    /// `[1, 1, height, width]` of the last feature map.
    heat: Tensor<4>,
}

impl Computed {
    fn new<N: Network>(
        network: &N,
        image: Tensor<4>,
        class: Option<usize>,
    ) -> Result<Self, ModelError> {
        let [_, _, height, width] = image.dims();
        network.check_size([height, width])?;
        let classes = network.classes();
        if let Some(class) = class.filter(|class| *class >= classes) {
            return Err(ModelError::OutOfRange {
                option: "class",
                found: class.to_string(),
                expected: "less than the network's number of classes".to_owned(),
            });
        }
        // Frozen layers use their running statistics, and dropout is off, even on a device in autodiff mode.
        let device = image.device().inner().autodiff();
        let network = network.clone().fork(&device).train().freeze();
        let image = match image.device().is_autodiff() {
            true => image.inner(),
            false => image,
        };

        let features = network.forward_stages(Tensor::from_inner(image), &mut |_, _| ());
        let features = features.detach().require_grad(); // [1, channels, h, w]
        let logits = network.classify(network.pool(features.clone())); // [1, classes]
        let detached = logits.clone().detach();
        let class = match class {
            Some(class) => Tensor::from_ints([[class as i64]], &device),
            None => detached.clone().argmax(1),
        };
        let gradients = logits.gather(1, class.clone()).sum().backward();

        let channels = features.dims()[1];
        let heat = match features.grad(&gradients) {
            Some(gradient) => {
                let pull = gradient.mean_dim(3).mean_dim(2); // [1, channels, 1, 1]
                let weighted = features.inner() * pull;
                relu(weighted.sum_dim(1)) // [1, 1, h, w]
            }
            None => features.inner().slice([0..1, 0..channels.min(1)]) * 0.0,
        };
        Ok(Self {
            class: class.inner(),
            logits: detached.inner(),
            heat,
        })
    }
}

impl GradCam {
    /// Makes the explanation of what was read from the device.
    fn read(class: TensorData, logits: TensorData, heat: TensorData) -> Self {
        let class = class.iter::<i64>().next().unwrap_or_default() as usize;
        let logits: Vec<f32> = logits.convert::<f32>().iter::<f32>().collect();
        let logit = logits.get(class).copied().unwrap_or(f32::NAN);
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = logits.iter().map(|other| (other - most).exp()).sum();
        let [_, _, height, width] = heat.shape().dims::<4>();
        Self {
            class,
            logit,
            probability: (logit - most).exp() / sum,
            heat: heat.convert::<f32>().iter::<f32>().collect(),
            size: [height, width],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelConfig;

    #[test]
    fn a_linear_classifier_pulls_by_its_weights() {
        let device = Device::flex();
        let config = ModelConfig::named("resnet18").unwrap().with_width(0.1);
        let model = config.with_classes(5).init(&device).unwrap();
        let image = Tensor::random([1, 3, 64, 64], burn::tensor::Distribution::Default, &device);
        let found = grad_cam(&model, image.clone(), Some(3)).unwrap();
        assert_eq!((found.class, found.size), (3, [2, 2]));

        // The logit is linear in the pooled features: a channel's gradient is its weight divided by the number of
        // pixels.
        let features = model.forward_stages(image.clone(), &mut |_, _| ());
        let [_, channels, _, _] = features.dims();
        let one = |channel: usize| {
            let mut pooled = vec![0.0_f32; channels];
            if channel < channels {
                pooled[channel] = 1.0;
            }
            let pooled = Tensor::<2>::from_data(TensorData::new(pooled, [1, channels]), &device);
            let logits = model.classify(pooled).into_data();
            logits.iter::<f32>().nth(3).unwrap()
        };
        let bias = one(channels);
        let features: Vec<f32> = features.into_data().iter::<f32>().collect();
        for pixel in 0..4 {
            let channel = |c: usize| features[c * 4 + pixel] * (one(c) - bias) / 4.0;
            let expected = (0..channels).map(channel).sum::<f32>().max(0.0);
            let error = (found.heat[pixel] - expected).abs();
            assert!(
                error < 1e-4 * (1.0 + expected),
                "{} {expected}",
                found.heat[pixel]
            );
        }

        let logits = model.forward(image.clone()).argmax(1).into_scalar::<i64>();
        assert_eq!(
            grad_cam(&model, image.clone(), None).unwrap().class,
            logits as usize
        );
        let error = grad_cam(&model, image, Some(5)).unwrap_err();
        assert!(error.to_string().contains("`class` is 5"), "{error}");
    }
}
