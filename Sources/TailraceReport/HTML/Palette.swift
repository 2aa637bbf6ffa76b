import Foundation

/// A page's colors, for light and dark backgrounds.
///
/// Lines and areas use the colors of Okabe and Ito, which are distinguishable with color blindness, darkened on light
/// backgrounds for contrast. Each color has its own dash pattern or texture, so a chart can be read without colors.
/// Source: M. Okabe, K. Ito, *Color Universal Design*, 2008.
enum Palette {
  struct Tone {
    var name: String
    var light: String
    var dark: String
  }

  static let paper = Tone(name: "paper", light: "#fcfcfb", dark: "#15181b")
  /// Main text.
  static let ink = Tone(name: "ink", light: "#1b2025", dark: "#e8eaec")
  /// Explanatory text.
  static let soft = Tone(name: "soft", light: "#57626c", dark: "#a7b1ba")
  static let good = Tone(name: "good", light: "#0a6b4b", dark: "#62d6a9")
  static let bad = Tone(name: "bad", light: "#b3261e", dark: "#ff948a")
  static let warn = Tone(name: "warn", light: "#805300", dark: "#f2bd55")
  static let link = Tone(name: "link", light: "#005a9c", dark: "#7cc4f5")
  /// Grid lines and shaded areas.
  static let rule = Tone(name: "rule", light: "#dde1e4", dark: "#30373d")
  static let shade = Tone(name: "shade", light: "#f1f3f4", dark: "#1e2327")

  /// Colors of lines and areas, in order of use.
  static let series = [
    Tone(name: "c0", light: "#0067a5", dark: "#66bdf0"), Tone(name: "c1", light: "#b94a00", dark: "#f5a742"),
    Tone(name: "c2", light: "#007a5a", dark: "#3fcfa4"), Tone(name: "c3", light: "#9c4a78", dark: "#e9a0cb"),
    Tone(name: "c4", light: "#7d6200", dark: "#e6d65c"), Tone(name: "c5", light: "#515b64", dark: "#c3cad0"),
  ]

  static let texts = [ink, soft, good, bad, warn, link]
  private static let all = [paper] + texts + [rule, shade] + series

  /// The colors as CSS properties.
  static var properties: String {
    let light = all.map { "--\($0.name):\($0.light)" }.joined(separator: ";")
    let dark = all.map { "--\($0.name):\($0.dark)" }.joined(separator: ";")
    return """
      :root{color-scheme:light dark;\(light)}
      @media (prefers-color-scheme:dark){:root{\(dark)}}
      @media print{:root{color-scheme:light;\(light)}}

      """
  }

  /// Dash patterns, by series; empty: solid.
  static let dashes = ["", "7 4", "2 3", "10 3 2 3", "14 4", "1 5"]

  /// The contrast of two colors, 1 to 21. Source: WCAG 2.2, *relative luminance* and *contrast ratio*.
  static func contrast(_ one: String, _ other: String) -> Double {
    let (a, b) = (luminance(one), luminance(other))
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
  }

  private static func luminance(_ colour: String) -> Double {
    let number = Int(colour.dropFirst(), radix: 16) ?? 0
    let channels = [number >> 16, number >> 8, number].map { Double($0 & 0xff) / 255 }
    let linear = channels.map { $0 <= 0.04045 ? $0 / 12.92 : pow(($0 + 0.055) / 1.055, 2.4) }
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }
}
