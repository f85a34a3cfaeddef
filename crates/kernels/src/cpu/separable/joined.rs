//! Planes of one channel in several images, joined to one, so that loops over small planes are long.

use pulp::Simd;

use super::super::copy::copy;
use super::super::flat::FlatLayout;
use super::super::prefetch::prefetch_plane;
use super::Separable;

/// Elements of planes that are joined, about; a few buffers of them and their masks fit the first-level cache.
const JOINED: usize = 1024;

/// The layouts of planes that are joined, as many as a group has.
#[derive(Debug)]
pub(super) struct Joined {
    /// Planes of a group.
    pub(super) planes: usize,
    /// Pixels of a plane.
    pub(super) pixels: usize,
    /// From a plane to the next.
    pub(super) pitch: usize,
    /// The layout of the depthwise convolution.
    pub(super) forward: FlatLayout,
    /// The layout of its input's gradient.
    pub(super) backward: FlatLayout,
    /// All bits on the planes, none between them.
    pub(super) mask: Vec<u32>,
}

impl Joined {
    /// Returns the layouts for a separable convolution, or `None` if the kernel doesn't serve.
    pub(super) fn new(sizes: &Separable) -> Option<Self> {
        let forward = FlatLayout::new(&sizes.geometry, sizes.size, sizes.size)?;
        let backward = FlatLayout::of_gradient(&sizes.geometry, sizes.size, sizes.size)?;
        let pitch = forward.pitch();
        let planes = (JOINED / pitch).clamp(1, sizes.images_of_a_chunk());
        Some(Self {
            planes,
            pixels: forward.pixels(),
            pitch,
            mask: forward.on_joined(planes),
            forward: forward.joined(planes),
            backward: backward.joined(planes),
        })
    }

    /// Returns the elements from the first plane of a group to the end of the last.
    pub(super) fn length(&self) -> usize {
        self.forward.pixels()
    }

    /// Returns the elements of a buffer for planes between guards.
    pub(super) fn guarded(&self) -> usize {
        self.forward.length()
    }

    /// Returns the guard before the first plane, which is that of both layouts.
    pub(super) fn guard(&self) -> usize {
        self.forward.guard()
    }

    /// Returns planes, each `step` elements after the one before, at their places: in `memory`, or where they are if there
    /// is one. Requests the plane that follows each, which is that of the next channel.
    #[inline(always)]
    pub(super) fn joined<'a, S: Simd>(
        &self,
        values: &'a [f32],
        first: usize,
        step: usize,
        count: usize,
        memory: &'a mut [f32],
    ) -> &'a [f32] {
        for index in 0..count {
            let next = first + index * step + self.pixels;
            if let Some(next) = values.get(next..next + self.pixels) {
                prefetch_plane(next);
            }
        }
        if self.planes == 1 {
            return &values[first..][..self.pixels];
        }
        self.join::<S>(values, first, step, count, memory);
        &memory[..self.length()]
    }

    /// Copies planes, each `step` elements after the one before, to their places. What a last group lacks becomes zero.
    #[inline(always)]
    pub(super) fn join<S: Simd>(
        &self,
        values: &[f32],
        first: usize,
        step: usize,
        count: usize,
        to: &mut [f32],
    ) {
        for (index, to) in to[..self.length()].chunks_mut(self.pitch).enumerate() {
            let to = &mut to[..self.pixels];
            match index < count {
                true => copy::<S>(&values[first + index * step..][..self.pixels], to),
                false => to.fill(0.0),
            }
        }
    }
}
