//! The devices whose tensors this crate's kernels compute.

use burn::backend::DispatchDevice;
use burn::prelude::*;
use burn::tensor::DType;

/// Returns whether this crate's kernels for the processor compute tensors of `f32` on this device.
///
/// They do on the devices of Burn's backends Flex and NdArray, whose tensors lie in the program's own
/// memory, if the cargo feature `flex` or `ndarray` is on; in autodiff mode as well. Convolutions, pools, activations and batch
/// normalization compute `f16` and `bf16` there too, by way of `f32`. On all other devices, and for other element types and empty
/// tensors on any device, the functions of this crate call Burn's own operations, but for those that have a kernel for graphics
/// cards. Some also do so for rare arguments, which their documentation names.
///
/// ```
/// use burn::prelude::*;
/// use xception_kernels::runs_natively;
///
/// assert!(runs_natively(&Device::flex()));
/// assert!(runs_natively(&Device::flex().autodiff()));
/// ```
pub fn runs_natively(device: &Device) -> bool {
    in_memory(device.as_dispatch())
}

/// Returns whether a tensor has elements, and these are `f32` in this program's memory.
pub(crate) fn is_native<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32
        && tensor.dims().iter().all(|&size| size > 0)
        && runs_natively(&tensor.device())
}

/// Returns whether a tensor lies on a device that this crate's CubeCL kernels run on, and is of an element type that they take.
pub(crate) fn is_on_cube<const D: usize>(tensor: &Tensor<D>) -> bool {
    matches!(tensor.dtype(), DType::F32 | DType::F16 | DType::BF16)
        && on_cube(tensor.device().as_dispatch())
}

fn on_cube(device: &DispatchDevice) -> bool {
    match device {
        #[cfg(feature = "cube")]
        // CubeCL's own runtime for the processor has no memory that the units of a cube share.
        DispatchDevice::Cube(device) => !matches!(device, burn_cubecl::CubeDevice::Cpu(_)),
        DispatchDevice::Autodiff(device) => on_cube(device),
        #[allow(unreachable_patterns)] // the only backends of some builds
        _ => false,
    }
}

fn in_memory(device: &DispatchDevice) -> bool {
    match device {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => true,
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => true,
        DispatchDevice::Autodiff(device) => in_memory(device),
        #[allow(unreachable_patterns)] // the only backends of some builds
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(deprecated)] // Burn deprecates NdArray; this project still supports it
    fn a_device_is_native_with_its_feature_also_in_autodiff_mode() {
        for (device, expected) in [
            (Device::flex(), cfg!(feature = "flex")),
            (Device::ndarray(), cfg!(feature = "ndarray")),
        ] {
            assert_eq!(runs_natively(&device), expected, "{device:?}");
            let device = device.autodiff();
            assert_eq!(runs_natively(&device), expected, "{device:?}");
        }
    }

    #[cfg(feature = "wgpu")]
    #[test]
    fn a_tensor_on_a_graphics_card_is_for_the_kernels_in_cubecl() {
        let device = Device::wgpu(Default::default());
        for device in [device.clone(), device.autodiff()] {
            let tensor = Tensor::<2>::ones([2, 3], &device);
            assert!(is_on_cube(&tensor) && !is_native(&tensor));
        }
        assert!(!is_on_cube(&Tensor::<2>::ones([2, 3], &Device::flex())));
    }

    #[test]
    fn a_tensor_is_native_with_elements_of_f32() {
        let tensor = Tensor::<2>::ones([2, 3], &Device::flex());
        assert!(is_native(&tensor));
        assert!(!is_native(&tensor.clone().cast(DType::F64)));
        assert!(!is_native(&tensor.slice([0..2, 0..0])));
    }
}
