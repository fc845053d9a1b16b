//! The chart: a row for each algorithm, with a panel to verify and one to sign; in a panel a bar for each build, the fastest
//! first.

use crate::machine::Machine;
use crate::report::duration;
use crate::results::Results;
use crate::roster::{Entry, OURS, Role};
use crate::targets::Direction;
use compare_common::Algorithm;
use std::fmt::Write;

const WIDTH: f64 = 1000.0;
/// Of a panel. The places in it count from its left edge.
const PANEL: f64 = WIDTH / 2.0;
const BARS_LEFT: f64 = 226.0;
const BARS_RIGHT: f64 = 390.0;
const ROW: f64 = 20.0;
const BAR: f64 = 14.0;
const MARGIN: f64 = 16.0;
/// Above the first panel: a title and two lines of text.
const HEAD: f64 = 76.0;
/// Above the bars of a panel: a gap and its title.
const PANEL_HEAD: f64 = 40.0;
/// Below the bars of a panel: the scale.
const PANEL_FOOT: f64 = 22.0;

/// The width of a label of the scale. A line that is closer to the last labelled one has no label.
const TICK_LABEL: f64 = 46.0;

const STYLE: &str = "\
    .page{fill:#fff}.text{fill:#1f2328}.faint{fill:#59636e}.grid{stroke:#d1d9e0}\
    .rival{fill:#8c959f}.ours{fill:#0969da}.hatch{stroke:#8c959f}\
    text{font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}\
    .title{font-size:18px;font-weight:600}.panel{font-size:14px;font-weight:600}.strong{font-weight:600}\
    @media (prefers-color-scheme:dark){\
    .page{fill:#0d1117}.text{fill:#f0f6fc}.faint{fill:#9198a1}.grid{stroke:#3d444d}\
    .rival{fill:#656c76}.ours{fill:#4493f8}.hatch{stroke:#656c76}}";

const ALGORITHMS: [(Algorithm, &str); 4] = [
    (Algorithm::Hs256, ""),
    (Algorithm::Rs256, ", 2048 bits"),
    (Algorithm::Es256, ""),
    (Algorithm::EdDsa, " with Ed25519"),
];

pub(crate) fn svg(results: &Results, machine: &Machine, rounds: usize) -> String {
    let (mut body, mut top) = (head(machine, rounds), HEAD);
    for (algorithm, what) in ALGORITHMS {
        let mut bottom = top;
        for (left, direction) in [0.0, PANEL].into_iter().zip(Direction::BOTH) {
            let title = format!("{}{what}", direction.title(algorithm));
            let _ = writeln!(body, "<g transform=\"translate({left} 0)\">");
            bottom = panel(&mut body, results, &title, direction.operation(algorithm), top).max(bottom);
            body.push_str("</g>\n");
        }
        top = bottom;
    }
    let height = top + MARGIN;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"Time per operation of Rust libraries for JSON Web \
         Tokens\">\n\
         <style>{STYLE}</style>\n\
         <defs><pattern id=\"floor\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><line class=\"hatch\" x1=\"1\" y1=\"0\" x2=\"1\" y2=\"5\" \
         stroke-width=\"2\"/></pattern></defs>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\"/>\n{body}</svg>\n"
    )
}

fn head(machine: &Machine, rounds: usize) -> String {
    let mut head = text(MARGIN, 30.0, "title text", "Time per operation, shorter is better");
    head += &text(MARGIN, 50.0, "faint", &machine.describe());
    let how = format!(
        "Tokens with seven claims. Medians of {rounds} windows; logarithmic scales; ratios to countersign in pure \
         Rust. Hatched: the same cryptography without a token library."
    );
    head += &text(MARGIN, 66.0, "faint", &how);
    head
}

/// Draws a panel below `top`; gives the end of it.
fn panel(body: &mut String, results: &Results, title: &str, operation: &str, top: f64) -> f64 {
    let ranking = results.ranking(operation);
    let medians: Vec<f64> = ranking.iter().map(|(_, measured)| measured.median()).collect();
    let (Some(&fastest), Some(&slowest)) = (medians.first(), medians.last()) else { return top };
    let (scale, ours) = (Scale::of(fastest, slowest), results.median(operation, OURS));
    let (first, last) = (top + PANEL_HEAD, top + PANEL_HEAD + ROW * medians.len() as f64);

    *body += &text(MARGIN, first - 12.0, "panel text", title);
    *body += &grid(&scale, first, last);
    for ((row, (entry, _)), median) in ranking.iter().enumerate().zip(medians) {
        let ratio = ours.map(|ours| format!(" · {:.2}×", median / ours)).unwrap_or_default();
        let label = (results.label(entry), format!("{}{ratio}", duration(median)));
        *body += &bar(entry, &label, scale.position(median), first + ROW * row as f64);
    }
    last + PANEL_FOOT
}

/// A bar with its name before it and its value behind it.
fn bar(entry: &Entry, (name, value): &(&str, String), end: f64, top: f64) -> String {
    let (weight, fill) = match entry.role {
        Role::Ours => (" strong", "class=\"ours\""),
        Role::Rival => ("", "class=\"rival\""),
        Role::Floor => ("", "fill=\"url(#floor)\""),
    };
    let (baseline, width) = (top + ROW / 2.0 + 4.0, end - BARS_LEFT);
    let (edge, bar_top) = (BARS_LEFT - 8.0, top + (ROW - BAR) / 2.0);
    let mut bar = format!(
        "<text class=\"text{weight}\" x=\"{edge}\" y=\"{baseline:.1}\" text-anchor=\"end\">{}</text>\n\
         <rect {fill} x=\"{BARS_LEFT}\" y=\"{bar_top:.1}\" width=\"{width:.1}\" height=\"{BAR}\"/>\n",
        escape(name)
    );
    bar += &text(end + 6.0, baseline, &format!("text{weight}"), value);
    bar
}

fn grid(scale: &Scale, top: f64, bottom: f64) -> String {
    let (mut grid, mut free) = (String::new(), 0.0);
    for tick in scale.ticks() {
        let x = scale.position(tick);
        let _ =
            writeln!(grid, "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{top}\" x2=\"{x:.1}\" y2=\"{bottom}\"/>");
        if x >= free {
            let _ = writeln!(
                grid,
                "<text class=\"faint\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 14.0,
                tick_label(tick)
            );
            free = x + TICK_LABEL;
        }
    }
    grid
}

/// A logarithmic scale between two steps of 1, 2, 5.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// The fastest bar has some length: on such a scale no bar could begin at nothing.
    fn of(fastest: f64, slowest: f64) -> Self {
        let low = steps().take_while(|&step| step < fastest * 0.8).last().unwrap_or(1.0);
        let high = steps().find(|&step| step >= slowest).unwrap_or(slowest);
        Self { low, high }
    }

    fn position(&self, nanoseconds: f64) -> f64 {
        let part = (nanoseconds / self.low).ln() / (self.high / self.low).ln();
        BARS_LEFT + part * (BARS_RIGHT - BARS_LEFT)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        steps().skip_while(|&step| step < self.low).take_while(|&step| step <= self.high)
    }
}

/// 1, 2, 5, 10 and so on, up to ten seconds.
fn steps() -> impl Iterator<Item = f64> {
    (0..10).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)))
}

fn tick_label(nanoseconds: f64) -> String {
    match nanoseconds {
        ..1e3 => format!("{nanoseconds} ns"),
        ..1e6 => format!("{} µs", nanoseconds / 1e3),
        _ => format!("{} ms", nanoseconds / 1e6),
    }
}

fn text(x: f64, y: f64, class: &str, content: &str) -> String {
    format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>\n", escape(content))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
