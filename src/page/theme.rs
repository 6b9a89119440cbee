//! A site's colours and corners for our pages, as a few CSS variables.
//!
//! The two or three answers of a question share every variable, so that no theme can set one of them apart.

use std::fmt;
use std::str::FromStr;

/// What a site wants otherwise; what it leaves out stays ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Theme {
    /// In bright surroundings.
    pub light: Colours,
    /// In the dark. Without an accent of its own, the bright one's is lightened until it can be read.
    pub dark: Colours,
    /// Of boxes and buttons.
    pub radius: Option<Length>,
}

/// The colours of one scheme.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Colours {
    /// Buttons, switches and links.
    pub accent: Option<Colour>,
    /// Behind everything.
    pub background: Option<Colour>,
    /// What is written on it.
    pub text: Option<Colour>,
}

/// Red, green and blue of sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// A length of CSS: a number and `px`, `rem` or `em`, or 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Length(Box<str>);

/// Text that is no colour or length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// Neither `#rgb` nor `#rrggbb`.
    #[error("no colour; write it as in `#1f4e79`")]
    Colour,
    /// Neither 0 nor up to 32 pixels or what amounts to them.
    #[error("no length from 0 to 32px; write it as in `8px` or `0.5rem`")]
    Length,
}

/// What WCAG 2.2 asks of text (1.4.3, AA).
pub const READABLE: f64 = 4.5;

const WHITE: Colour = Colour([255; 3]);
/// With one of these two, anything but text of 4.5:1 is impossible.
const BLACK: Colour = Colour([0; 3]);

/// Background and text of our own, as in `style.css`.
const LIGHT: [Colour; 2] = [Colour([0xf4, 0xf5, 0xf7]), Colour([0x1b, 0x24, 0x30])];
const DARK: [Colour; 2] = [Colour([0x11, 0x16, 0x1d]), Colour([0xe8, 0xec, 0xf2])];

impl Theme {
    /// What goes behind our style sheet, or anything that uses its variables; empty for no theme.
    pub fn css(&self) -> String {
        let mut css = String::new();
        let light = self.light.variables(LIGHT, false);
        if !light.is_empty() {
            css.push_str(&format!(":root{{{light}}}"));
        }
        let mut dark = self.dark;
        let ground = dark.background.unwrap_or(DARK[0]);
        dark.accent = dark.accent.or_else(|| self.light.accent.map(|accent| accent.lightened_on(ground)));
        let dark = dark.variables(DARK, true);
        if !dark.is_empty() {
            css.push_str(&format!("@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"));
        }
        if let Some(Length(radius)) = &self.radius {
            css.push_str(&format!(":root{{--radius:{radius}}}"));
        }
        css
    }

    /// Pairs that are hard to read, in words, with their contrast.
    pub fn unreadable(&self) -> Vec<(&'static str, f64)> {
        let light = self.light.unreadable(LIGHT, ["text on background", "accent on background"]);
        let dark = self.dark.unreadable(DARK, ["dark.text on dark.background", "dark.accent on dark.background"]);
        light.into_iter().chain(dark).collect()
    }
}

impl Colours {
    fn variables(&self, ours: [Colour; 2], dark: bool) -> String {
        let mut css = String::new();
        if self.background.is_some() || self.text.is_some() {
            let ground = self.background.unwrap_or(ours[0]);
            let text = self.text.unwrap_or(ours[1]);
            let card = ground.mix(WHITE, if dark { 0.05 } else { 0.7 });
            // Enough of the text for its contrast, and of the ground to stand back.
            let (soft, line) = (text.mix(card, 0.2), text.mix(card, 0.78));
            css.push_str(&format!("--ground:{ground};--card:{card};--ink:{text};--soft:{soft};--line:{line};"));
        }
        if let Some(accent) = self.accent {
            let on = if accent.contrast(WHITE) >= accent.contrast(BLACK) { WHITE } else { BLACK };
            let note = accent.mix(self.background.unwrap_or(ours[0]), 0.88);
            css.push_str(&format!("--link:{accent};--button:{accent};--on-button:{on};--note:{note};"));
        }
        css
    }

    fn unreadable(&self, ours: [Colour; 2], words: [&'static str; 2]) -> Vec<(&'static str, f64)> {
        let ground = self.background.unwrap_or(ours[0]);
        let text = (self.background.is_some() || self.text.is_some()).then(|| self.text.unwrap_or(ours[1]));
        let pairs = [text, self.accent].map(|colour| colour.map(|colour| colour.contrast(ground)));
        words
            .into_iter()
            .zip(pairs)
            .filter_map(|(word, ratio)| Some((word, ratio.filter(|r| *r < READABLE)?)))
            .collect()
    }
}

impl Colour {
    /// The contrast of WCAG 2, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// So much of the other, from 0 to 1.
    fn mix(self, other: Self, much: f64) -> Self {
        let part = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * much).round() as u8;
        Self([0, 1, 2].map(|index| part(self.0[index], other.0[index])))
    }

    fn lightened_on(self, ground: Self) -> Self {
        let steps = (0..=10).map(|step| self.mix(WHITE, f64::from(step) / 10.0));
        steps.into_iter().find(|colour| colour.contrast(ground) >= READABLE + 1.5).unwrap_or(WHITE)
    }
}

impl FromStr for Colour {
    type Err = ThemeError;

    fn from_str(text: &str) -> Result<Self, ThemeError> {
        let digits = text.strip_prefix('#').filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let doubled: String = match digits {
            Some(digits) if digits.len() == 3 => digits.chars().flat_map(|digit| [digit; 2]).collect(),
            Some(digits) if digits.len() == 6 => digits.to_owned(),
            _ => return Err(ThemeError::Colour),
        };
        let number = u32::from_str_radix(&doubled, 16).map_err(|_| ThemeError::Colour)?;
        let [_, r, g, b] = number.to_be_bytes();
        Ok(Self([r, g, b]))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

impl FromStr for Length {
    type Err = ThemeError;

    fn from_str(text: &str) -> Result<Self, ThemeError> {
        let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let number: f64 = text[..text.len() - unit.len()].parse().map_err(|_| ThemeError::Length)?;
        let pixels = match unit {
            "px" => number,
            "rem" | "em" => number * 16.0,
            "" if number == 0.0 => 0.0,
            _ => return Err(ThemeError::Length),
        };
        if pixels <= 32.0 { Ok(Self(text.into())) } else { Err(ThemeError::Length) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        text.parse().unwrap()
    }

    #[test]
    fn only_colours_and_lengths_are_taken() {
        assert_eq!(colour("#A1f").to_string(), "#aa11ff");
        for text in ["red", "#12", "#12345g", "1f4e79", "#1f4e79;}", "#\u{e9}"] {
            assert_eq!(text.parse::<Colour>(), Err(ThemeError::Colour), "{text}");
        }
        for text in ["0", "8px", "0.5rem", "2em"] {
            assert!(text.parse::<Length>().is_ok(), "{text}");
        }
        for text in ["", "8", "-1px", "33px", "3rem", "8px;}", "1e9px", "50%", "."] {
            assert_eq!(text.parse::<Length>(), Err(ThemeError::Length), "{text}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((colour("#fff").contrast(colour("#000")) - 21.0).abs() < 1e-9);
        assert!((colour("#777").contrast(colour("#fff")) - 4.48).abs() < 0.01);
    }

    #[test]
    fn whatever_the_theme_its_buttons_and_small_print_can_be_read() {
        for accent in ["#000", "#fff", "#ff0", "#777", "#7a0019", "#e2001a", "#00a651", "#1f4e79"] {
            let theme =
                Theme { light: Colours { accent: Some(colour(accent)), ..Colours::default() }, ..Theme::default() };
            let css = theme.css();
            let mut seen = 0;
            for block in css.split(":root{").skip(1) {
                let variable = |name: &str| colour(&block.split_once(name).unwrap().1[..7]);
                assert!(variable("--button:").contrast(variable("--on-button:")) >= READABLE, "{accent}: {block}");
                seen += 1;
            }
            assert_eq!(seen, 2, "{css}");
            assert!(colour(&css.rsplit_once("--link:").unwrap().1[..7]).contrast(DARK[0]) >= READABLE, "{css}");
        }
        let own = Colours { background: Some(colour("#fdf6e3")), text: Some(colour("#333")), ..Colours::default() };
        let css = Theme { light: own, ..Theme::default() }.css();
        let variable = |name: &str| colour(&css.split_once(name).unwrap().1[..7]);
        assert!(variable("--soft:").contrast(variable("--ground:")) >= READABLE, "{css}");
    }

    #[test]
    fn what_is_hard_to_read_is_told() {
        let light = Colours { accent: Some(colour("#ffd700")), ..Colours::default() };
        let dark = Colours { text: Some(colour("#444")), ..Colours::default() };
        let found = Theme { light, dark, radius: None }.unreadable();
        let words: Vec<_> = found.iter().map(|(words, _)| *words).collect();
        assert_eq!(words, ["accent on background", "dark.text on dark.background"]);
        assert!(Theme::default().unreadable().is_empty() && Theme::default().css().is_empty());
    }
}
