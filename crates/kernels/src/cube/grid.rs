//! The division of work among cubes and their units.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

/// The most units in a cube.
const UNITS: usize = 256;

/// The most units of a cube that compute neighbouring channels, that of a warp.
const LINES: usize = 32;

/// The most shared memory of a cube: what every device of WebGPU has.
const SHARED_BYTES: usize = 16 * 1024;

/// Work on lines (vectors of channels) times rows (whatever else there is), a cube of units for each block of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    /// The units of a cube along the lines.
    pub(super) cube_lines: usize,
    /// The units of a cube along the rows.
    cube_rows: usize,
    /// The blocks along the lines.
    line_blocks: usize,
    /// The blocks along the rows.
    row_blocks: usize,
}

impl Grid {
    /// Divides work on this many lines and rows.
    pub(super) fn new(tensor: &CubeTensor, lines: usize, rows: usize) -> Self {
        Self::sharing(tensor, lines, rows, 0)
    }

    /// Divides work on this many lines and rows, where a cube shares this many bytes of memory for each of its lines.
    pub(super) fn sharing(
        tensor: &CubeTensor,
        lines: usize,
        rows: usize,
        shared_bytes: usize,
    ) -> Self {
        let hardware = &tensor.client.properties().hardware;
        let units = UNITS.min(hardware.max_units_per_cube as usize).max(1);
        let memory = SHARED_BYTES.min(hardware.max_shared_memory_size);
        let mut cube_lines = lines.next_power_of_two().min(LINES).min(units);
        while cube_lines > 1 && cube_lines * shared_bytes > memory {
            cube_lines /= 2;
        }
        let cube_rows = (units / cube_lines).min(rows.next_power_of_two());
        Self {
            cube_lines,
            cube_rows,
            line_blocks: lines.div_ceil(cube_lines),
            row_blocks: rows.div_ceil(cube_rows),
        }
    }

    /// Returns the size of a cube.
    pub(super) fn dim(&self) -> CubeDim {
        CubeDim::new_2d(self.cube_lines as u32, self.cube_rows as u32)
    }

    /// Returns the number of cubes: blocks of lines along x; those of rows along y and z, since one direction alone holds no more
    /// than 65,535 on some devices. There may be a few too many.
    pub(super) fn count(&self) -> CubeCount {
        const MOST: usize = 65_535;
        let deep = self.row_blocks.div_ceil(MOST);
        let along = self.row_blocks.div_ceil(deep);
        CubeCount::Static(self.line_blocks as u32, along as u32, deep as u32)
    }
}

/// Returns the line of this unit.
#[cube]
pub(super) fn line() -> usize {
    (CUBE_POS_X * CUBE_DIM_X + UNIT_POS_X) as usize
}

/// Returns the row of this unit.
#[cube]
pub(super) fn row() -> usize {
    ((CUBE_POS_Z * CUBE_COUNT_Y + CUBE_POS_Y) * CUBE_DIM_Y + UNIT_POS_Y) as usize
}
