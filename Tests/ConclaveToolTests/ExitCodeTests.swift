import ConclaveBus
import Testing

@testable import ConclaveTool

/// Scripts branch on these numbers.
@Suite struct ExitCodeTests {
  @Test func numbers() {
    #expect(ExitCode.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 70, 130, 141, 143])
  }

  @Test func everyErrorHasItsCode() {
    let codes = Dictionary(
      uniqueKeysWithValues: BusError.Code.allCases.map { ($0.rawValue, ExitCode($0).rawValue) })
    #expect(
      codes == [
        "invalidTopic": 2, "invalidName": 2, "invalidPayload": 2, "messageTooLarge": 2,
        "unsupported": 2, "notFound": 3, "backPressureTimedOut": 4, "busy": 5, "incompatible": 5,
        "corrupt": 6, "permissionDenied": 7, "exhausted": 8, "noSpace": 8, "closed": 70,
        "forked": 70, "system": 70, "notDurable": 6,
      ])
  }

  @Test func errorsAreOneLine() {
    let error = ToolError(.usage, code: "usage", "a\nb", hint: "c\u{1B}[2J").with(published: 3)
    #expect(error.line == "conclave: a\\nb (published before: 3); c\\u{1B}[2J\n")
    #expect(
      error.json
        == #"{"error":{"code":"usage","message":"a\nb","hint":"c\u001b[2J","published":3}}"#
        + "\n")
  }
}
