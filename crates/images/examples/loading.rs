use std::time::Instant;
use xception_images::*;
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let n: usize = std::env::args().nth(2).unwrap().parse().unwrap();
    let gap = std::env::args().nth(3).and_then(|t| t.parse().ok());
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    let files: Vec<Vec<u8>> = files.iter().map(|p| std::fs::read(p).unwrap()).collect();
    let mut s = 0x9E3779B97F4A7C15u64;
    let mut uni = move || {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        (s >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut px = vec![0u8; 3 * 299 * 299];
    let mut out = vec![0f32; 3 * 299 * 299];
    let o = DecodeOptions::default();
    let (mut td, mut tn) = (0.0, 0.0);
    let mode = std::env::args().nth(4).unwrap_or_default();
    for pass in 0..2 {
        if pass == 1 {
            td = 0.0;
            tn = 0.0
        }
        for i in 0..if pass == 0 { files.len() } else { n } {
            let b = &files[i % files.len()];
            let t = Instant::now();
            let e = EncodedImage::new(b, "x", &o).unwrap();
            let [h, w] = e.size();
            if mode == "full" {
                std::hint::black_box(e.decode().unwrap());
                td += t.elapsed().as_secs_f64();
                continue;
            }
            let mut win = Window {
                offset: [0, 0],
                size: [h, w],
            };
            for _ in 0..10 {
                let a = (h * w) as f64 * (0.08 + 0.92 * uni());
                let r = ((0.75f64).ln() + uni() * ((4.0 / 3.0f64).ln() - (0.75f64).ln())).exp();
                let cw = (a * r).sqrt().round() as usize;
                let ch = (a / r).sqrt().round() as usize;
                if cw <= w && ch <= h {
                    win = Window {
                        offset: [
                            (uni() * (h - ch + 1) as f64) as usize,
                            (uni() * (w - cw + 1) as f64) as usize,
                        ],
                        size: [ch, cw],
                    };
                    break;
                }
            }
            e.resized_window(
                win,
                WindowResize {
                    size: [299, 299],
                    filter: Filter::Bilinear,
                    reducing_gap: gap,
                },
                &mut px,
            )
            .unwrap();
            td += t.elapsed().as_secs_f64();
            let t = Instant::now();
            let flip = uni() < 0.5;
            for c in 0..3 {
                let (s, bi) = (1.0 / 255.0 / 0.226f32, -0.45f32 / 0.226);
                for (o, r) in out[c * 299 * 299..][..299 * 299]
                    .chunks_exact_mut(299)
                    .zip(px[c * 299 * 299..][..299 * 299].chunks_exact(299))
                {
                    if flip {
                        for (o, v) in o.iter_mut().zip(r.iter().rev()) {
                            *o = f32::from(*v) * s + bi
                        }
                    } else {
                        for (o, v) in o.iter_mut().zip(r) {
                            *o = f32::from(*v) * s + bi
                        }
                    }
                }
            }
            std::hint::black_box(&out);
            tn += t.elapsed().as_secs_f64();
        }
    }
    println!(
        "decode+resize {:.3} ms, normalize {:.3} ms, total {:.3}",
        1e3 * td / n as f64,
        1e3 * tn / n as f64,
        1e3 * (td + tn) / n as f64
    );
}
