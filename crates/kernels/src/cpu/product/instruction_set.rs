//! The processor's instruction set.

use pulp::{Arch, Simd, WithSimd};

/// Returns all instruction sets that the processor has, to test each of them.
#[cfg(test)]
pub(in crate::cpu) fn instruction_sets() -> Vec<Arch> {
    let mut sets = vec![Arch::Scalar, Arch::new()];
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        sets.push(Arch::V3(simd));
    }
    sets
}

/// Returns the number of vectors of columns that are computed side by side: with the rows of a block, as many sums
/// as fit the registers and hide the latency of multiply-add.
pub(in crate::cpu) const fn vectors<S: Simd>() -> usize {
    match (S::F32_LANES, S::REGISTER_COUNT) {
        (1, _) => 8, // which compilers put together
        _ if cfg!(target_arch = "wasm32") => 2,
        (4, 32) => 4,
        _ => 2,
    }
}

/// Returns the columns of a panel: those of [`vectors`] vectors.
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

/// Returns the lanes of a vector.
pub(in crate::cpu) fn lanes(arch: Arch) -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> usize {
            S::F32_LANES
        }
    }
    arch.dispatch(Lanes)
}
