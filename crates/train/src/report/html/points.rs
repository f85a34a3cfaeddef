//! What the page's script reads: the names of the variants and the values of every point that a chart shows.

use serde::Serialize;

use crate::numbers::{magnitude, thousands};
use crate::record::AblationRecord;
use crate::report::charts::curve::{Curve, Quantity};
use crate::report::format::{Unit, milliseconds};
use crate::report::front::{Cost, Front, FrontPoint};
use crate::report::summary::Summary;

/// All points of a page.
#[derive(Serialize)]
struct Points<'a> {
    /// Names of the variants.
    variants: Vec<&'a str>,
    curves: Vec<CurvePoints>,
    fronts: Vec<FrontPoints>,
}

/// The points of a chart by epoch.
#[derive(Serialize)]
struct CurvePoints {
    /// Name of the chart.
    chart: &'static str,
    unit: &'static str,
    /// Decimals that a value is written with.
    decimals: usize,
    series: Vec<Series>,
}

/// The points of a line.
#[derive(Serialize)]
struct Series {
    /// Place of the variant.
    variant: usize,
    /// What the line is, unless it is the mean over the finished runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    /// Epoch, value, smallest and largest value of the runs, and both ends of the mean's interval.
    points: Vec<[Option<f64>; 6]>,
}

/// The points of a chart of accuracy against a cost.
#[derive(Serialize)]
struct FrontPoints {
    /// Name of the chart.
    chart: &'static str,
    points: Vec<Labelled>,
}

/// A point with what is said of it.
#[derive(Serialize)]
struct Labelled {
    /// Place of the variant.
    variant: usize,
    cost: f64,
    top1: f64,
    /// Whether it may be compared with the base.
    compared: bool,
    text: Vec<String>,
}

/// Returns the points of a page's charts as JSON that can stand in a page.
pub(super) fn points(record: &AblationRecord, summary: &Summary) -> String {
    let curves = Quantity::ALL.map(|quantity| curve_points(record, quantity));
    let unit = Unit::percent(record.data.test_images);
    let points = Points {
        variants: record.variants.iter().map(|v| v.name.as_str()).collect(),
        curves: curves
            .into_iter()
            .filter(|curve| !curve.series.is_empty())
            .collect(),
        fronts: summary
            .fronts
            .iter()
            .map(|front| front_points(front, unit))
            .collect(),
    };
    // No text in it may end the element that it stands in.
    let json = serde_json::to_string(&points).unwrap_or_default();
    json.replace('<', "\\u003c")
}

fn curve_points(record: &AblationRecord, quantity: Quantity) -> CurvePoints {
    let (unit, decimals) = match quantity.is_loss() {
        true => ("nats", 3),
        false => ("%", 2),
    };
    let rounded = |value: f64| {
        let scale = 10_f64.powi(decimals + 1);
        Some((value * scale).round() / scale)
    };
    let mut series = Vec::new();
    for (variant, curve) in Curve::all(record, quantity).into_iter().enumerate() {
        let point = |(index, (epoch, mean)): (usize, &(f64, f64))| {
            // A single run has no band.
            let (low, high) = match curve.band.get(index) {
                Some((_, low, high)) => (rounded(*low), rounded(*high)),
                None => (None, None),
            };
            let interval = curve.intervals.get(index).copied().flatten();
            let end = |end: Option<f64>| end.and_then(rounded);
            let ends = [end(interval.map(|i| i.low)), end(interval.map(|i| i.high))];
            [Some(*epoch), rounded(*mean), low, high, ends[0], ends[1]]
        };
        if !curve.mean.is_empty() {
            series.push(Series {
                variant,
                note: None,
                points: curve.mean.iter().enumerate().map(point).collect(),
            });
        }
        for run in &curve.others {
            let point = |(epoch, value): &(f64, f64)| {
                [Some(*epoch), rounded(*value), None, None, None, None]
            };
            let note = match run.diverged {
                true => "a run that diverged",
                false => "a run that is not finished",
            };
            series.push(Series {
                variant,
                note: Some(note),
                points: run.points.iter().map(point).collect(),
            });
        }
    }
    CurvePoints {
        chart: quantity.stem(),
        unit,
        decimals: decimals as usize,
        series,
    }
}

fn front_points(front: &Front, unit: Unit) -> FrontPoints {
    let labelled = |point: &FrontPoint| Labelled {
        variant: point.variant,
        cost: point.cost,
        top1: point.top1.mean,
        compared: point.compared,
        text: said(front.cost, point, unit),
    };
    FrontPoints {
        chart: front.cost.stem(),
        points: front.points.iter().map(labelled).collect(),
    }
}

/// Returns what is said of a point: its cost, its accuracy and the interval of that.
fn said(cost: Cost, point: &FrontPoint, unit: Unit) -> Vec<String> {
    let cost = match cost {
        Cost::Parameters => format!("{} parameters", thousands(point.cost as u64)),
        Cost::MultiplyAdds => format!("{} multiply-adds an image", magnitude(point.cost as u64)),
        Cost::SecondsPerStep => format!("{} ms a step", milliseconds(point.cost)),
    };
    let runs = match point.top1.count {
        1 => "of one run".to_owned(),
        count => format!("over {count} runs"),
    };
    let mut text = vec![
        cost,
        format!("{} % test top-1 {runs}", unit.sample(&point.top1)),
    ];
    text.extend(point.top1.interval().map(|interval| {
        format!(
            "95 % interval {} to {} %",
            unit.number(interval.low),
            unit.number(interval.high)
        )
    }));
    if !point.compared {
        text.push("not compared: more than the network differs".to_owned());
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::record::synthetic;

    #[test]
    fn every_drawn_point_has_its_value() {
        let record = synthetic::diverged();
        let points = points(&record, &Summary::of(&record));
        let points: Value = serde_json::from_str(&points).unwrap();
        assert_eq!(points["curves"].as_array().unwrap().len(), 4);
        let series = points["curves"][0]["series"].as_array().unwrap();
        let diverged = series.iter().filter(|s| s["note"] == "a run that diverged");
        assert_eq!(diverged.count(), 5);
        let mean = &series[0]["points"][11];
        assert_eq!(mean[0], 12.0);
        let value = |place: usize| mean[place].as_f64().unwrap();
        // The interval is that of the mean, the other ends those of the runs.
        assert!(
            value(2) < value(1)
                && value(1) < value(3)
                && value(4) < value(1)
                && value(1) < value(5)
        );
        let text = points["fronts"][0]["points"][0]["text"][0]
            .as_str()
            .unwrap();
        assert_eq!(text, "1,258,610 parameters");
    }

    #[test]
    fn no_name_ends_the_element() {
        let mut record = synthetic::complete();
        record.variants[1].name = "</script><b>".to_owned();
        assert!(!points(&record, &Summary::of(&record)).contains('<'));
    }
}
