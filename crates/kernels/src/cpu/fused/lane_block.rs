//! The inner loops of convolutions in narrow groups: some pixels at a time, with their sums in registers.

use pulp::Simd;

use super::super::output::SharedOutput;
use super::super::product::micro_kernel::Rectify;
use super::super::vector::load;

/// The computation of some pixels of a row of a unit.
pub(super) struct Block<'a> {
    /// The copied rows.
    pub(super) values: &'a [f32],
    /// The distance of each tap.
    pub(super) taps: &'a [usize],
    pub(super) inputs: usize,
    /// The distance of the next pixel.
    pub(super) step: usize,
    /// `[taps, inputs, vectors, lanes]`.
    pub(super) weights: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) output: SharedOutput<'a>,
    pub(super) residual: Option<&'a [f32]>,
    pub(super) rectify: Rectify,
    /// Outputs of a pixel.
    pub(super) outputs: usize,
    /// Outputs of the unit.
    pub(super) count: usize,
    /// Whether whole vectors may be written.
    pub(super) whole: bool,
}

impl Block<'_> {
    /// Computes `P` pixels of `V` vectors, whose windows begin with value `first` and whose outputs with element `to`. `G`
    /// is the channels of a group where values are copied for each lane, and else 0.
    ///
    /// # Safety
    ///
    /// Nobody else may use the outputs of the pixels' units, nor what follows up to a vector where that may be written.
    ///
    /// # Panics
    ///
    /// If values or weights are too few, or the outputs are none.
    #[inline(always)]
    pub(super) unsafe fn compute<S: Simd, const V: usize, const P: usize, const G: usize>(
        &self,
        simd: S,
        [first, to]: [usize; 2],
    ) {
        let (lanes, width) = (S::F32_LANES, V * S::F32_LANES);
        let of_a_value = if G > 0 { lanes } else { 1 };
        let reach = self
            .taps
            .last()
            .map_or(0, |tap| tap + self.inputs * of_a_value);
        assert!(first + (P - 1) * self.step + reach <= self.values.len());
        assert!(self.weights.len() == self.taps.len() * self.inputs * width);
        assert!(G == 0 || G == self.inputs);
        // SAFETY: the first assertion keeps the values of all pixels and taps in the slice, as the last tap is the
        // farthest, and the second one the weights.
        let sums = unsafe {
            match const { G > 0 } {
                true if self.step == G * lanes => self.spread::<S, V, P, G>(simd, first, G * lanes),
                true => self.spread::<S, V, P, G>(simd, first, self.step),
                false => self.broadcast::<S, V, P>(simd, first),
            }
        };
        for (p, sums) in sums.into_iter().enumerate() {
            let to = to + p * self.outputs;
            for (v, sum) in sums.into_iter().enumerate() {
                let (to, left) = (to + v * lanes, self.count - v * lanes);
                // SAFETY: the caller's promise.
                unsafe {
                    match self.whole || left >= lanes {
                        true => self.finish(simd, sum, to),
                        false => self.finish_part(simd, sum, to, left),
                    }
                }
            }
        }
    }

    /// Returns the starts of the sums.
    #[inline(always)]
    fn starts<S: Simd, const V: usize, const P: usize>(&self) -> [[S::f32s; V]; P] {
        [std::array::from_fn(
            #[inline(always)]
            |v| load::<S>(&self.bias[v * S::F32_LANES..]),
        ); P]
    }

    /// Returns the sums of pixels `step` elements apart, of whose `G` values each lane has its own.
    ///
    /// # Safety
    ///
    /// Values and weights must be valid for all pixels and taps.
    #[inline(always)]
    unsafe fn spread<S: Simd, const V: usize, const P: usize, const G: usize>(
        &self,
        simd: S,
        first: usize,
        step: usize,
    ) -> [[S::f32s; V]; P] {
        let mut sums = self.starts::<S, V, P>();
        let mut weights = self.weights.as_ptr().cast::<[S::f32s; V]>();
        for &tap in self.taps {
            // SAFETY: the caller's promise.
            unsafe {
                let values = self.values.as_ptr().add(first + tap);
                for k in 0..G {
                    let weight = weights.add(k).read_unaligned();
                    for (p, sums) in sums.iter_mut().enumerate() {
                        let value = values.add(p * step + k * S::F32_LANES);
                        let value = value.cast::<S::f32s>().read_unaligned();
                        for (sum, weight) in sums.iter_mut().zip(weight) {
                            *sum = simd.mul_add_e_f32s(value, weight, *sum);
                        }
                    }
                }
                weights = weights.add(G);
            }
        }
        sums
    }

    /// Returns the sums of pixels of whose values all lanes have the same.
    ///
    /// # Safety
    ///
    /// As for [`spread`](Self::spread).
    #[inline(always)]
    unsafe fn broadcast<S: Simd, const V: usize, const P: usize>(
        &self,
        simd: S,
        first: usize,
    ) -> [[S::f32s; V]; P] {
        let mut sums = self.starts::<S, V, P>();
        let mut weights = self.weights.as_ptr().cast::<[S::f32s; V]>();
        for &tap in self.taps {
            // SAFETY: the caller's promise.
            unsafe {
                let mut values = self.values.as_ptr().add(first + tap);
                for _ in 0..self.inputs {
                    let weight = weights.read_unaligned();
                    for (p, sums) in sums.iter_mut().enumerate() {
                        let value = simd.splat_f32s(*values.add(p * self.step));
                        for (sum, weight) in sums.iter_mut().zip(weight) {
                            *sum = simd.mul_add_e_f32s(value, weight, *sum);
                        }
                    }
                    weights = weights.add(1);
                    values = values.wrapping_add(1);
                }
            }
        }
        sums
    }

    /// Adds the residual to a vector of sums, applies the activation, and writes them.
    ///
    /// # Safety
    ///
    /// Nobody else may use these elements.
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, simd: S, mut sum: S::f32s, to: usize) {
        if let Some(residual) = self.residual {
            sum = simd.add_f32s(sum, load::<S>(&residual[to..]));
        }
        let sum = self.rectify.apply(simd, sum);
        // SAFETY: the caller's promise.
        unsafe {
            let to = self.output.pointer(to, S::F32_LANES).cast::<S::f32s>();
            to.write_unaligned(sum);
        }
    }

    /// Finishes the first `count` sums as [`finish`](Self::finish) does.
    ///
    /// # Safety
    ///
    /// Nobody else may use so many elements.
    #[inline(always)]
    unsafe fn finish_part<S: Simd>(&self, simd: S, mut sum: S::f32s, to: usize, count: usize) {
        if let Some(residual) = self.residual {
            let residual = simd.partial_load_f32s(&residual[to..to + count]);
            sum = simd.add_f32s(sum, residual);
        }
        let sum = self.rectify.apply(simd, sum);
        let mask = simd.mask_between_m32s(0, count as u32);
        // SAFETY: the mask selects elements that are the caller's alone.
        unsafe { simd.mask_store_ptr_f32s(mask, self.output.pointer(to, count), sum) };
    }
}
