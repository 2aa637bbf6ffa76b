// Goal: log files as people have them are read: whatever program, spreadsheet or database wrote them. A file that is
// refused is refused with its line, the column, the value and what would be accepted.

import Foundation
import TailraceCore
import TailraceWorkload
import Testing

/// One file that people have, and what it holds.
struct LogFile: CustomTestStringConvertible, Sendable {
  var what: String
  var name = "log.csv"
  var load: String
  var text: String
  /// In seconds; nil: the log has no service times.
  var submitted: [Double]
  var service: [Double]
  var types: [String]?
  var leftOut: [String] = []
  var testDescription: String { what }
}

struct TraceFilesTests {
  static func read(_ name: String, _ load: String, _ bytes: [UInt8]) -> Result<Trace, ScenarioProblems> {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("log-\(UInt64.random(in: 0 ... .max))")
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data(bytes).write(to: folder.appendingPathComponent(name))
    } catch {
      Issue.record(error)
    }
    return ScenarioParser.parse(
      yaml: "name: t\njobs: {job: {service: 1s}}\nload: {trace: \(name)\(load.isEmpty ? "" : ", \(load)")}\n",
      file: folder.appendingPathComponent("t.yaml").path
    ).map { $0.trace! }
  }

  static func read(_ name: String, _ load: String, _ text: String) -> Result<Trace, ScenarioProblems> {
    read(name, load, Array(text.utf8))
  }

  private static func problem(_ name: String, _ load: String, _ text: String) -> String {
    switch read(name, load, text) {
    case .success(let trace): "read, with \(trace.count) jobs"
    case .failure(let found): found.problems.map(\.message).joined(separator: "\n")
    }
  }

  private static let plain = "columns: {submitted: t, service: s}"
  private static let typed = "columns: {submitted: t, service: s, job_type: k}"

  static let files: [LogFile] = [
    LogFile(what: "a byte order mark", load: plain, text: "\u{feff}t,s\n1,2\n", submitted: [0], service: [2]),
    LogFile(what: "CR LF", load: plain, text: "t,s\r\n1,2\r\n3,4\r\n", submitted: [0, 2], service: [2, 4]),
    LogFile(what: "CR alone", load: plain, text: "t,s\r1,2\r3,4", submitted: [0, 2], service: [2, 4]),
    LogFile(what: "blanks around values", load: plain, text: " t , s \n 1 ,\t2 \n", submitted: [0], service: [2]),
    LogFile(
      what: "blanks around quoted values", load: typed, text: "t, s, k\n1, \"2\" , \"a\"\n", submitted: [0],
      service: [2],
      types: ["a"]),
    LogFile(
      what: "separators, quotes and line breaks in quoted values", load: typed,
      text: "t,s,k\n1,2,\"a,b\"\n2,2,\"say \"\"c\"\"\"\n3,2,\"two\nlines\"\n4,2,e\n", submitted: [0, 1, 2, 3],
      service: [2, 2, 2, 2], types: ["a_b", "say__c_", "two_lines", "e"]),
    LogFile(what: "blank lines", load: plain, text: "\nt,s\n\n1,2\n  \n3,4\n\n", submitted: [0, 2], service: [2, 4]),
    LogFile(
      what: "separators at the end", load: plain, text: "t,s\n1,2,,\n3,4,\n", submitted: [0, 2], service: [2, 4]),
    LogFile(what: "semicolons, decimal commas", load: plain, text: "t;s\n1,5;0,25\n", submitted: [0], service: [0.25]),
    LogFile(what: "tabs", name: "log.tsv", load: plain, text: "t\ts\n1\t2\n", submitted: [0], service: [2]),
    LogFile(what: "bars", load: plain, text: "t|s\n1|2\n", submitted: [0], service: [2]),
    LogFile(what: "a spreadsheet's sep=", load: plain, text: "sep=;\nt;s\n1;2\n", submitted: [0], service: [2]),
    LogFile(what: "a header that is a comment", load: plain, text: "# t,s\n1,2\n", submitted: [0], service: [2]),
    LogFile(
      what: "commas in a header of semicolons", load: plain, text: "t;s;a,b,c,d\n1;2;x\n", submitted: [0],
      service: [2]),
    LogFile(
      what: "no header", load: "columns: {submitted: 1, service: 3}", text: "1,x,2\n4,y,5\n", submitted: [0, 3],
      service: [2, 5]),
    LogFile(
      what: "columns by place in spite of a header", load: "columns: {submitted: 1, service: 2}", text: "t,s\n1,2\n",
      submitted: [0], service: [2]),
    LogFile(
      what: "an end time", load: "columns: {ended: e, service: s}", text: "e,s\n10,2\n9,3\n", submitted: [0, 2],
      service: [3, 2]),
    LogFile(
      what: "an end time and a wait", load: "columns: {ended: e, service: s, waiting: w}",
      text: "e,s,w\n10,2,3\n20,1,1\n",
      submitted: [0, 13], service: [2, 1]),
    LogFile(
      what: "start and end", load: "columns: {submitted: t, started: a, ended: b}",
      text: "t,a,b\n2024-01-01 00:00:00,2024-01-01 00:00:05,2024-01-01 00:00:07.5\n", submitted: [0], service: [2.5]),
    LogFile(
      what: "an end before its start", load: "columns: {started: a, ended: b}", text: "a,b\n5,4\n5,6\n5,\n",
      submitted: [0], service: [1], leftOut: ["1 end time unknown", "1 run time below 0"]),
    LogFile(
      what: "a start and a wait", load: "columns: {started: a, waiting: w, service: s}", text: "a,w,s\n5,2,1\n6,0,1\n",
      submitted: [0, 3], service: [1, 1]),
    LogFile(
      what: "values that are not known", load: plain,
      text: "t,s\n1,NULL\n1,\\N\n1,nan\n1,\n1,-\n1,None\n,4\nUnknown,4\n1,2\n",
      submitted: [0], service: [2], leftOut: ["2 submission time unknown", "6 run time unknown"]),
    LogFile(
      what: "nested keys", name: "log.jsonl",
      load: "columns: {submitted: data.time, service: data.took.0, job_type: ok}",
      text: "{\"data\": {\"time\": 1.5, \"took\": [2, 9]}, \"ok\": true}\n"
        + "{\"data\":{\"time\":2.5,\"took\":[3]},\"ok\":false}\n{\"data\":{\"time\":2.5,\"took\":null},\"ok\":false}\n",
      submitted: [0, 1], service: [2, 3], types: ["true", "false"], leftOut: ["1 run time unknown"]),
    LogFile(
      what: "keys with dots", name: "log.ndjson", load: "columns: {submitted: a.t, service: s}",
      text: "{\"a.t\":1,\"s\":2}\r\n\r\n{\"s\":\"3\",\"a.t\":\"2\"}", submitted: [0, 1], service: [2, 3]),
    LogFile(
      what: "remarks before the header and between rows", load: plain,
      text: "# made by x\n# on a Monday, at noon, by hand\n\nt,s\n1,2\n# halfway\n3,4\n# end\n", submitted: [0, 2],
      service: [2, 4]),
    LogFile(
      what: "a header behind a '#', after remarks", load: plain, text: "# made by x\n#t;s\n1;2\n3;4\n",
      submitted: [0, 2], service: [2, 4]),
    LogFile(
      what: "remarks in a file without a header", load: "columns: {submitted: 1, service: 2}",
      text: "# made by x\n1,2\n3,4\n", submitted: [0, 2], service: [2, 4]),
    LogFile(
      what: "a list of objects within one object", name: "log.json",
      load: "columns: {submitted: meta.at, service: s, job_type: meta.labels.app}",
      text: "{\n  \"kind\": \"List\", \"empty\": [], \"names\": [\"a\"],\n  \"items\": [\n    {\"meta\": {\"at\": 1, "
        + "\"labels\": {\"app\": \"x\"}}, \"s\": 2, \"parts\": [{\"s\": 9}]},\n    {\"meta\": {\"at\": 4, "
        + "\"labels\": {\"app\": \"y\"}}, \"s\": 3}\n  ],\n  \"metadata\": {\"v\": \"\"}\n}\n",
      submitted: [0, 3], service: [2, 3], types: ["x", "y"]),
    LogFile(
      what: "one object that has what is wanted beside a list", name: "log.json", load: plain,
      text: "{\"t\": 1, \"s\": 2, \"parts\": [{\"t\": 3}, {\"t\": 4}]}\n", submitted: [0], service: [2]),
    LogFile(
      what: "one list of objects over many lines", name: "log.json", load: typed,
      text: "\u{feff}[\n  {\n    \"t\": 1,\n    \"s\": 2,\n    \"k\": \"\\u0041\\u002d\\ud83d\\ude80\\n\"\n  },\n"
        + "  {\"t\": 2, \"s\": 1, \"k\": \"B\"}\n]\n", submitted: [0, 1], service: [2, 1], types: ["A-__", "B"]),
    LogFile(
      what: "run times that are not known", name: "log.swf", load: "",
      text:
        "; c\r\n1 0 -1 -1.0 1 -1 -1 -1 -1 -1 1 1 1 -1 1 -1 -1 -1\r\n2 1 -1 -4 1 -1 -1 -1 -1 -1 1 1 1 -1 1 -1 -1 -1\r\n"
        + "3 2 -1 5.5 1 nan -1 -1 -1 9223372036854784808 1 1 1 -1 1 -1 -1 -1\r\n", submitted: [0], service: [5.5],
      leftOut: ["1 run time unknown", "1 run time below 0"]),
    LogFile(
      what: "processors beyond 64 bits", name: "log.SWF", load: "",
      text: "3 2 -1 5 -1 -1 -1 9223372036854784808 -1 -1 1 1 1 -1 1 -1 -1 -1\n", submitted: [0], service: [5]),
  ]

  @Test(arguments: files) func filesThatPeopleHaveAreRead(_ file: LogFile) throws {
    let trace = try Self.read(file.name, file.load, file.text).get()
    #expect(trace.submitted.map(\.seconds) == file.submitted)
    #expect(trace.service.map(\.seconds) == file.service)
    if let types = file.types { #expect(trace.types == types) }
    #expect(trace.leftOut.map { "\($0.count) \($0.reason)" } == file.leftOut)
  }

  static let lengths: [(String, Double)] = [
    ("00:30:00", 1_800), ("1-02:03:04", 93_784), ("02:03", 123), ("3-04", 273_600), ("1-00:30", 88_200),
    ("00:00:01.250", 1.25), ("26:00:00", 93_600), ("1 day, 2:03:04", 93_784), ("2 days 00:00:01", 172_801),
    ("1.5s", 1.5), ("250ms", 0.25), ("1h2m3s", 3_723), ("PT1H30M", 5_400), ("P1DT1S", 86_401), ("90 sec", 90),
    ("1e2", 100), ("+7", 7), ("0.000000001", 1e-9), ("15 min", 900),
  ]

  @Test(arguments: lengths) func lengthsAreReadAsProgramsWriteThem(_ text: String, _ seconds: Double) throws {
    let trace = try Self.read("log.csv", Self.plain, "t,s\n1,\"\(text)\"\n").get()
    #expect(trace.service.map(\.seconds) == [seconds])
  }

  /// Each is 2024-11-15 16:57:50.5 in UTC, or the same without its fraction.
  static let instants: [(String, Double)] = [
    ("2024-11-15 16:57:50.5", 0.5), ("2024-11-15 16:57:50.500+00", 0.5), ("2024-11-15T16:57:50.5Z", 0.5),
    ("2024-11-15t17:57:50.5+01:00", 0.5), ("2024-11-15 08:57:50,500-0800", 0.5), ("2024-11-15 16:57:50.5 UTC", 0.5),
    ("2024-11-15 16:57:50.5 +0000 UTC", 0.5), ("2024-11-15T17:57:50.5+01:00[Europe/Berlin]", 0.5),
    ("2024/11/15 16:57:50", 0), ("20241115T165750Z", 0), ("2024-11-15 4:57:50 PM", 0), ("2024-11-15 22:27:50+05:30", 0),
    ("1731689870", 0), ("1731689870.5", 0.5), ("1731689870500", 0.5), ("1731689870500000", 0.5),
    ("1731689870500000000", 0.5),
  ]

  @Test(arguments: instants) func instantsAreReadAsProgramsWriteThem(_ text: String, _ seconds: Double) throws {
    let trace = try Self.read("log.csv", "columns: {submitted: t}", "t\n2024-11-15 16:57:50\n\"\(text)\"\n").get()
    #expect(trace.submitted.map(\.seconds) == [0, seconds])
  }

  @Test(arguments: [
    "2024-02-31 00:00:00", "2023-02-29", "2024-04-31 10:00", "2024-13-01 00:00:00", "2024-01-01 24:00:00",
    "2024-01-01 10:61:00", "15/11/2024 10:00", "2024-11-15 16:57:50 EST", "2024-11-15 16:57:50.", "yesterday",
    "2024-11-15 16:57:50 +25", "1:2:3",
  ])
  func instantsThatDoNotExistAreRefused(_ text: String) {
    let found = Self.problem("log.csv", "columns: {submitted: t}", "t\n2024-01-01 00:00:00\n\(text)\n")
    #expect(found.contains("log.csv:3: t is '\(text)'; write a d"), "\(found)")
  }

  @Test(arguments: ["x", "1:2:3:4", "00:61:00", "1-", "5 parsecs", "PT1M1M1", "P1M", "::", "1,5", "--1"])
  func lengthsThatAreNoneAreRefused(_ text: String) {
    let found = Self.problem("log.csv", Self.plain, "t,s\n1,1\n\n2,\"\(text)\"\n")
    #expect(
      found.contains("log.csv:4: s is '\(text)'; write a number of seconds, a length such as 00:30:00"), "\(found)")
  }

  @Test func linesAreCountedAcrossQuotedLineBreaks() {
    let text = "t,s,k\n1,2,\"a\n\nb\"\n\n2,x,c\n3,4,\"open\n5,y,d\n"
    let found = Self.problem("log.csv", Self.typed, text).split(separator: "\n")
    #expect(found.count == 3, "\(found)")
    #expect(found.first?.contains("log.csv:6: s is 'x'") == true)
    #expect(found.dropFirst().first?.contains("log.csv:7: a quote is opened in this row and never closed") == true)
    #expect(found.last?.contains("log.csv:8: s is 'y'") == true)
    let after = Self.problem("log.csv", Self.typed, "t,s,k\n1,2,\"a\"b\n")
    #expect(after.contains("log.csv:2: 'b' follows the quote that ends value 3"), "\(after)")
  }

  @Test(arguments: [
    ("{\"t\": 1 \"s\": 2}", "stands where ',' or '}' is due"), ("{\"t\": 1, s: 2}", "where a key in quotes is due"),
    ("{\"t\": one}", "'one}' stands where a value is due"), ("{\"t\": \"a", "the line ends where the quote"),
    ("[1]", "not a JSON object"), ("hello", "not a JSON object"), ("{\"t\": \"\\x\"}", "is due"),
    ("{", "a key in quotes"),
  ])
  func brokenJSONIsNamedWithItsLine(_ text: String, _ words: String) {
    let found = Self.problem("log.jsonl", "columns: {submitted: t}", "{\"t\":1}\n\(text)\n{\"t\":2}\n")
    #expect(found.contains(words) && found.contains(":2: ") || found.contains(":3: "), "\(found)")
  }

  @Test func keysThatNoObjectHasAreReported() {
    let found = Self.problem(
      "log.jsonl", "columns: {submitted: t, job_type: data.knd}", "{\"t\":1,\"data\":{\"kind\":2}}\n")
    #expect(found.contains("there is no column 'data.knd' in any object; the first has t, data.kind"), "\(found)")
    let listed = Self.problem(
      "log.json", "columns: {submitted: at, service: t}", "{\"items\":\n[{\"t\":1}, {\"t\":2}],\n\"kind\": \"List\"}\n")
    #expect(listed.contains("there is no column 'at' in any object; the first has t"), "\(listed)")
    let late = Self.problem(
      "log.json", "columns: {submitted: t}", "{\"items\":\n[{\"t\":1},\n{\"t\":\"x\"}\n],\"kind\": \"List\"}\n")
    #expect(late.contains("log.json:3: t is 'x'"), "\(late)")
  }

  @Test func columnsThatSayTooLittleOrTooMuchAreRefused() {
    for (columns, words) in [
      ("{service: s}", "has no 'submitted'"), ("{ended: e}", "has only 'ended'"),
      ("{submitted: t, waiting: w}", "columns.waiting is not used"),
      ("{submitted: t, service: s, ended: e}", "columns.ended is not used"),
      ("{submitted: t, ended: e}", "has only one of started: and ended:"),
      ("{started: a, ended: e, service: s}", "columns.ended is not used"),
      ("{submitted: 9}", "there is no column 9; a row has 5"),
      ("{submitted: w, service: t2}", "there is no column 't2'; columns: t, s, e, a, w"),
    ] {
      let found = Self.problem("log.csv", "columns: \(columns)", "t,s,e,a,w\n1,2,3,4,5\n")
      #expect(found.contains(words), "\(columns): \(found)")
    }
    let blanks = Self.problem("log.csv", "columns: {submitted: 2}", "1 2\n3 4\n")
    #expect(blanks.contains("there is no column 2; a row has 1: separate values by commas, "), "\(blanks)")
    let twice = Self.problem("log.csv", Self.plain, "t,s,t\n1,2,3\n")
    #expect(twice.contains("2 columns are called 't'; use its position instead, such as 1"), "\(twice)")
  }

  // MARK: - Values that are named

  @Test func valuesMatchAsTheyAreWritten() throws {
    let text = "{\"t\":1,\"ok\":false,\"n\":1.0}\n{\"t\":2,\"ok\":true,\"n\":2}\n"
    let load = "columns: {submitted: t, outcome: ok, priority: n}, failed: [false], priorities: {1.0: high, 2: low}"
    let trace = try Self.read("log.jsonl", load, text).get()
    #expect(trace.endings == [.failsPermanently, .succeeds])
    #expect(trace.priority == [.high, .low])
    #expect(trace.remarks.isEmpty)
  }

  @Test func valuesThatOccurInNoRowAreReported() throws {
    let text = "t,ok,q\n1,0,a\n2,1,b\n"
    let load =
      "columns: {submitted: t, outcome: ok, priority: q}, failed: [false], priorities: {a: high, b: low, c: low}"
    let trace = try Self.read("log.csv", "\(load), where: {q: [a, d]}", text).get()
    #expect(
      trace.remarks == [
        "failed names 'false', which no row has in the column ok; it has '0', '1'",
        "priorities names 'c', which no row has in the column q; it has 'a', 'b'",
        "where names 'd', which no row has in the column q; it has 'a', 'b'",
      ])
    let none = Self.problem("log.csv", "columns: {submitted: t}, where: {q: [A]}", text)
    #expect(
      none.contains("all 2 rows were excluded") && none.contains("where names 'A', which no row has"), "\(none)")
  }

  // MARK: - Names of job types

  @Test func namesOfAnyScriptStayApart() throws {
    let values = [
      "日本", "中国", "all", "a b", "a_b", "é", "e", "", "x: y", "x #y", "\"q\"", String(repeating: "l", count: 70),
    ]
    func trace(_ values: [String]) throws -> Trace {
      let rows = values.enumerated().map { "\($0),1,\"\($1.replacing("\"", with: "\"\""))\"\n" }.joined()
      return try Self.read("log.csv", Self.typed, "t,s,k\n" + rows).get()
    }
    let found = try trace(values)
    #expect(found.types.count == values.count && Set(found.types).count == values.count, "\(found.types)")
    #expect(found.types[2] == "all" && found.types[4] == "a_b" && found.types[6] == "e")
    for name in found.types {
      #expect(name.utf8.count <= 64 && name.utf8.allSatisfy { $0 < 0x80 } && !name.contains(" "), "\(name)")
    }
    // What a name stands for is told, and does not hang on the order of rows.
    let names = Dictionary(uniqueKeysWithValues: found.renamed.map { ($0.value, $0.name) })
    #expect(Set(names.keys) == Set(values).subtracting(["all", "a_b", "e"]))
    let again = try trace(values.reversed())
    #expect(Dictionary(uniqueKeysWithValues: again.renamed.map { ($0.value, $0.name) }) == names)
    #expect(try trace(["日本"]).types == [names["日本"]!])
  }

  // MARK: - Packed files and encodings

  /// What gzip(1) makes of bytes.
  private static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }
    // One stored block: a valid member, whatever it holds.
    var packed: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1]
    let size = UInt16(bytes.count)
    packed += [UInt8(size & 0xff), UInt8(size >> 8), UInt8(~size & 0xff), UInt8(~size >> 8)] + bytes
    for word in [~crc, UInt32(bytes.count)] { packed += (0..<4).map { UInt8(word >> (8 * $0) & 0xff) } }
    return packed
  }

  @Test func gzippedFilesAreReadAsGzipReadsThem() throws {
    let (head, tail) = (Self.gzip(Array("t,s\n1,2\n".utf8)), Self.gzip(Array("3,4\n".utf8)))
    for (bytes, remarks) in [
      (head + tail, 0), (head + tail + [UInt8](repeating: 0, count: 600), 0), (head + tail + Array("junk".utf8), 1),
    ] {
      // The name need not say it.
      for name in ["log.csv", "log.csv.gz"] {
        let trace = try Self.read(name, Self.plain, bytes).get()
        #expect(trace.service.map(\.seconds) == [2, 4])
        #expect(trace.remarks.count == remarks, "\(trace.remarks)")
      }
    }
    // A file that is called .gz and is none.
    #expect(try Self.read("log.csv.gz", Self.plain, "t,s\n1,2\n").get().count == 1)
    for (bytes, words) in [
      (head + tail.dropLast(), "cut off"), (Array(head.prefix(14)), "cut off"), (Array(head.prefix(3)), "cut off"),
      (Array(head.prefix(20)) + [0xff] + head.dropFirst(21), "damaged"),
    ] {
      guard case .failure(let found) = Self.read("log.csv.gz", Self.plain, bytes) else {
        Issue.record("read: \(bytes)")
        continue
      }
      #expect(found.description.contains("log.csv.gz:") && found.description.contains(words), "\(found)")
    }
  }

  @Test func textThatIsNoUTF8IsRefusedWithWords() {
    let wide = Array("t,s\n1,2\n".utf16).flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
    for (bytes, words) in [
      ([0xff, 0xfe] + wide, "the text is UTF-16; save it as UTF-8"), (wide, "the text is UTF-16"),
      ([0x50, 0x4b, 0x03, 0x04, 0, 1, 2, 3, 9, 9, 9], "a zip archive; unpack it"),
      ([0x50, 0x4b, 0x03, 0x04] + [UInt8](repeating: 0, count: 60), "a zip archive; unpack it"),
      ([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3], "packed with zstd"),
    ] as [([UInt8], String)] {
      guard case .failure(let found) = Self.read("log.csv", Self.plain, bytes) else {
        Issue.record("read: \(bytes)")
        continue
      }
      #expect(found.description.contains(words), "\(found)")
    }
    // Latin-1: refused where it is used, so that no two names become one.
    let latin = Array("t,s,k,u\n1,2,".utf8) + [0xe9] + Array(",x\n".utf8)
    guard case .failure(let found) = Self.read("log.csv", Self.typed, latin) else {
      Issue.record("read")
      return
    }
    #expect(
      found.description.contains(#"log.csv:2: k is '\xe9'"# + ", which is not UTF-8; convert the file"), "\(found)")
    #expect((try? Self.read("log.csv", Self.plain, latin).get())?.count == 1)
  }

  @Test func scenariosAndValuesAreReadByTheSameReader() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("log-\(UInt64.random(in: 0 ... .max))")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder.appendingPathComponent("sub"), withIntermediateDirectories: true)
    let scenario = folder.appendingPathComponent("sub/s.yaml")
    func load(_ text: String) throws -> Scenario {
      try Data(text.utf8).write(to: scenario)
      return try ScenarioParser.load(file: scenario.path)
    }
    let values = folder.appendingPathComponent("values.txt")
    let lines = ["name: s", "jobs:", "  a: {service: empirical(../values.txt)}", "load: {batch: 3}"]
    for end in ["\n", "\r\n", "\r"] {
      try Data("\u{feff}1ms\(end) 2ms # two\(end)\(end)3ms".utf8).write(to: values)
      let service = try #require(load("\u{feff}" + lines.joined(separator: end) + end).jobs[0].service)
      #expect(service == .empirical(file: "../values.txt", values: [1, 2, 3].map { .milliseconds($0) }))
    }
    try Data("1ms\n\nten\n".utf8).write(to: values)
    #expect { try load(lines.joined(separator: "\n")) } throws: { "\($0)".contains("../values.txt:3:1: what stands") }
    // In the scenario's own folder it may be shown.
    try Data("1ms\n\n  ten\n".utf8).write(to: folder.appendingPathComponent("sub/own.txt"))
    #expect {
      try load(lines.joined(separator: "\n").replacing("../values.txt", with: "own.txt"))
    } throws: { "\($0)".contains("own.txt:3: 'ten'") }
    // Values may stand in the scenario itself.
    let inside = try load(
      lines.joined(separator: "\n").replacing("empirical(../values.txt)", with: "'empirical(1ms, 5s)'"))
    #expect(inside.jobs[0].service == .empirical(file: "", values: [.milliseconds(1), .seconds(5)]))
    let wide = Data([0xff, 0xfe]) + Data(Array("name: x".utf16).flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] })
    #expect { try ScenarioParser.parse(data: wide, file: "s.yaml").get() } throws: {
      "\($0)".contains("s.yaml: the text is UTF-16; save it as UTF-8")
    }
  }
}
