//! A terminal's screen as an SVG picture: what the README shows is what the program drew.

use std::fmt::Write;

const CELL: (f32, f32) = (8.4, 18.0);
const PADDING: f32 = 14.0;
const DEFAULT: (&str, &str) = ("#d7dae0", "#10141c");

/// The screen as a self-contained SVG document.
pub fn render(screen: &vt100::Screen) -> String {
    let (rows, columns) = screen.size();
    let (rows, columns) = (rows.get(), columns.get());
    let (width, height) =
        (f32::from(columns) * CELL.0 + 2.0 * PADDING, f32::from(rows) * CELL.1 + 2.0 * PADDING);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n",
        background_of(screen)
    );
    for row in 0..rows {
        for run in runs(screen, row, columns) {
            draw(&mut svg, row, &run);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

struct Run {
    column: u16,
    width: u16,
    text: String,
    ink: String,
    paper: Option<String>,
    bold: bool,
    underline: bool,
}

fn background_of(screen: &vt100::Screen) -> String {
    // the middle of the right edge: no header, no selection
    let (rows, columns) = screen.size();
    screen
        .cell(rows.get() / 2, columns.get() - 1)
        .and_then(|cell| color(cell.bgcolor()))
        .unwrap_or_else(|| DEFAULT.1.to_owned())
}

/// Neighbouring cells of one look, as one run.
fn runs(screen: &vt100::Screen, row: u16, columns: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else {
            continue;
        };
        let mut ink = color(cell.fgcolor()).unwrap_or_else(|| DEFAULT.0.to_owned());
        let mut paper = color(cell.bgcolor());
        if cell.inverse() {
            let swapped = paper.unwrap_or_else(|| DEFAULT.1.to_owned());
            paper = Some(ink);
            ink = swapped;
        }
        let text = if cell.has_contents() { cell.contents() } else { " " };
        let width = if cell.is_wide() { 2 } else { 1 };
        match runs.last_mut() {
            Some(run)
                if run.ink == ink
                    && run.paper == paper
                    && run.bold == cell.bold()
                    && run.underline == cell.underline() =>
            {
                run.text.push_str(text);
                run.width += width;
            }
            _ => runs.push(Run {
                column,
                width,
                text: text.to_owned(),
                ink,
                paper,
                bold: cell.bold(),
                underline: cell.underline(),
            }),
        }
    }
    runs
}

fn draw(svg: &mut String, row: u16, run: &Run) {
    let (x, y) = (PADDING + f32::from(run.column) * CELL.0, PADDING + f32::from(row) * CELL.1);
    let width = f32::from(run.width) * CELL.0;
    if let Some(paper) = &run.paper {
        writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{}\" fill=\"{paper}\"/>",
            CELL.1
        )
        .unwrap();
    }
    if run.text.trim().is_empty() {
        return;
    }
    let weight = if run.bold { " font-weight=\"bold\"" } else { "" };
    let decoration = if run.underline { " text-decoration=\"underline\"" } else { "" };
    let text = run.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let baseline = y + 13.5;
    writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{baseline:.1}\" fill=\"{}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\"{weight}{decoration}>{text}</text>",
        run.ink
    )
    .unwrap();
}

fn color(color: vt100::Color) -> Option<String> {
    match color {
        vt100::Color::Default => None,
        vt100::Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        vt100::Color::Idx(index) => Some(indexed(index)),
    }
}

/// The usual palette of 256 colours.
fn indexed(index: u8) -> String {
    const BASE: [&str; 16] = [
        "#1b1f27", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0", "#5c6370",
        "#e88388", "#a9d18e", "#f0d399", "#7fc1ff", "#d59ae8", "#7fd1da", "#ffffff",
    ];
    match index {
        0..=15 => BASE[usize::from(index)].to_owned(),
        16..=231 => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            let rest = index - 16;
            format!("#{:02x}{:02x}{:02x}", level(rest / 36), level(rest / 6 % 6), level(rest % 6))
        }
        232..=255 => {
            let gray = 8 + 10 * (index - 232);
            format!("#{gray:02x}{gray:02x}{gray:02x}")
        }
    }
}
