//! Colours: how files write them, how they are brought to 256 colours, and how well they contrast.

use ratatui::style::Color;

const NAMES: [(&str, Color); 18] = [
    ("default", Color::Reset),
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("gray", Color::Gray),
    ("dark-gray", Color::DarkGray),
    ("light-red", Color::LightRed),
    ("light-green", Color::LightGreen),
    ("light-yellow", Color::LightYellow),
    ("light-blue", Color::LightBlue),
    ("light-magenta", Color::LightMagenta),
    ("light-cyan", Color::LightCyan),
    ("white", Color::White),
    ("none", Color::Reset),
];

/// Reads `#rrggbb` or one of the terminal's own colour names (`red`, `light-blue`, `default` …).
pub fn parse(text: &str) -> Option<Color> {
    if let Some(hex) = text.strip_prefix('#') {
        let valid = hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(hex, 16).ok().filter(|_| valid)?;
        return Some(Color::from_u32(number));
    }
    NAMES.iter().find(|(name, _)| *name == text).map(|(_, colour)| *colour)
}

/// The names of the terminal's own colours.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// The nearest of the 240 fixed colours of a 256-colour terminal; named colours stay.
pub fn to_256(colour: Color) -> Color {
    let Color::Rgb(r, g, b) = colour else { return colour };
    let cube = (0..216u8).map(|i| (16 + i, [step(i / 36), step(i / 6 % 6), step(i % 6)]));
    let greys = (0..24u8).map(|i| (232 + i, [8 + 10 * i; 3]));
    let nearest = cube.chain(greys).min_by_key(|(_, colour)| distance([r, g, b], *colour));
    nearest.map_or(colour, |(index, _)| Color::Indexed(index))
}

fn step(level: u8) -> u8 {
    if level == 0 { 0 } else { 55 + 40 * level }
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    let weights = [2, 4, 3];
    (0..3).map(|i| weights[i] * u32::from(a[i].abs_diff(b[i])).pow(2)).sum()
}

/// The contrast of two RGB colours as WCAG 2 defines it, from 1 to 21; none when one of them is the terminal's own.
pub fn contrast(a: Color, b: Color) -> Option<f64> {
    let (a, b) = (luminance(a)?, luminance(b)?);
    Some((a.max(b) + 0.05) / (a.min(b) + 0.05))
}

fn luminance(colour: Color) -> Option<f64> {
    let Color::Rgb(r, g, b) = colour else { return None };
    let linear = |channel: u8| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    Some(0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read() {
        assert_eq!(parse("#0a0b0c"), Some(Color::Rgb(10, 11, 12)));
        assert_eq!(parse("light-blue"), Some(Color::LightBlue));
        for bad in ["#12345", "#12345g", "#+12345", "bleu", ""] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn contrast_is_wcags() {
        let ratio = contrast(Color::Rgb(0, 0, 0), Color::Rgb(255, 255, 255)).unwrap();
        assert!((ratio - 21.0).abs() < 0.01);
        assert_eq!(contrast(Color::Red, Color::Rgb(0, 0, 0)), None);
    }

    #[test]
    fn rgb_becomes_the_nearest_fixed_colour() {
        assert_eq!(to_256(Color::Rgb(255, 0, 0)), Color::Indexed(196));
        assert_eq!(to_256(Color::Rgb(9, 9, 9)), Color::Indexed(232));
        assert_eq!(to_256(Color::Cyan), Color::Cyan);
    }
}
