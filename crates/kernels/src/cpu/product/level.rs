//! The processor's vector instructions.

use pulp::{Arch, Simd, WithSimd};

/// All instruction sets that the processor has, to test each of them.
#[cfg(test)]
pub(in crate::cpu) fn levels() -> Vec<Arch> {
    let mut levels = vec![Arch::Scalar, Arch::new()];
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        levels.push(Arch::V3(simd));
    }
    levels
}

/// Vectors of output channels that are computed side by side: with six pixels, as many sums as fit
/// the registers and hide the latency of multiply-add.
pub(in crate::cpu) const fn vectors<S: Simd>() -> usize {
    match (S::F32_LANES, S::REGISTER_COUNT) {
        (1, _) => 8, // which compilers put together
        (4, 32) => 4,
        _ => 2,
    }
}

/// Output channels of a panel of weights: those of [`vectors`] vectors.
pub(in crate::cpu) fn panel_width(arch: Arch) -> usize {
    struct Width;
    impl WithSimd for Width {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> usize {
            vectors::<S>() * S::F32_LANES
        }
    }
    arch.dispatch(Width)
}
