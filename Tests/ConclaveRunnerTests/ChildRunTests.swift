import BusTesting
import ConclaveBus
import Glibc
import Testing

@testable import ConclaveRunner

/// Real programs, run, timed out and killed.
@Suite struct ChildRunTests {
  @Test func outputInputAndExitCode() async throws {
    let result = try await runShell("cat; echo oops >&2; exit 7", input: "hello")
    #expect(result.exit == .code(7) && result.cause == .itself && !result.succeeded)
    #expect(result.output.text == "hello" && result.errors.text == "oops\n")
    #expect(result.words == "exit code 7")
  }

  @Test func aScriptThatDoesNotSayWhatRunsIt() async throws {
    let folder = try TemporaryDirectory()
    let path = folder.appending("a script")
    Files.write(path, "echo \"$0 $1\"; cat; exit 7\n", executable: true)
    var request = ChildRequest(path, ["b c"], environment: ["PATH": "/bin"], directory: "/")
    request.input = Array("in".utf8)
    let ready = request
    let result = try await onThread { try ChildRun.run(ready) }
    #expect(result.exit == .code(7) && result.output.text == "\(path) b c\nin")
  }

  @Test func errorsCanGoWithTheOutputInTheirOrder() async throws {
    let result = try await runShell("echo 1; echo 2 >&2; echo 3") { $0.mergesErrors = true }
    #expect(result.output.text == "1\n2\n3\n" && result.errors.count == 0)
  }

  @Test func inputThatNobodyReads() async throws {
    let result = try await runShell("exit 0", input: String(repeating: "x", count: 10_000_000))
    #expect(result.succeeded)
  }

  @Test func tenMegabytesKeepBeginningAndEnd() async throws {
    let result = try await runShell(
      "echo first; head -c 10000000 /dev/zero | tr '\\0' x; echo; echo last")
    #expect(result.output.count == 10_000_012)
    let text = result.output.text
    #expect(text.hasPrefix("first\nxxx") && text.hasSuffix("xxx\nlast\n"))
    #expect(text.contains("bytes omitted ...]") && text.utf8.count < 9_000_000)
  }

  @Test func whoWaitsIsToldOfTheTime() async throws {
    let directory = try TemporaryDirectory()
    let file = directory.appending("told")
    let result = try await onThread {
      try ChildRun.run(
        ChildRequest(
          "/bin/sh", ["-c", "while [ ! -e told ]; do sleep 0.05; done"],
          environment: ["PATH": "/bin"], directory: directory.path),
        onWake: { _ in Files.write(file, "") })
    }
    #expect(result.succeeded)
  }

  @Test func aSignalHasItsName() async throws {
    let result = try await runShell("kill -SEGV $$")
    #expect(result.exit == .signal(SIGSEGV) && result.words == "killed by SIGSEGV")
  }

  @Test func theTimeLimitWarnsAsksAndEnds() async throws {
    let warned = Counter()
    let result = try await runShell("trap 'echo asked; exit 3' TERM; sleep 600 & wait") {
      $0.timeLimit = .seconds(2)
    } onLongRun: { _ in
      warned.add()
    }
    #expect(result.cause == .timeLimit && result.output.text == "asked\n")
    #expect(result.exit == .code(3) && !result.succeeded && warned.count == 1)
  }

  @Test func whoIgnoresTheRequestIsKilled() async throws {
    let result = try await runShell("trap '' TERM; while :; do sleep 600; done") {
      $0.timeLimit = .milliseconds(100)
      $0.grace = .milliseconds(200)
    }
    #expect(result.cause == .timeLimit && result.exit == .signal(SIGKILL))
  }

  @Test func aDaemonIsEndedWithItsProgram() async throws {
    let directory = try TemporaryDirectory()
    // Another session, no terminal, parent gone, deaf to SIGTERM: a daemon as they come.
    let line = """
      (setsid sh -c 'trap "" TERM; echo $$ > daemon; while :; do sleep 1; done' >/dev/null 2>&1 &)
      while [ ! -s daemon ]; do sleep 0.01; done
      """
    let result = try await runShell(line, in: directory.path) { $0.grace = .milliseconds(100) }
    #expect(result.succeeded && result.leftovers >= 1)
    #expect(Files.text(directory.appending("daemon")) != "")
    #expect(ProcessTable.workers(in: directory.path) == [])
  }

  /// Its parents are gone as soon as they have started the next: whoever looks for processes one
  /// after the other may find none of them.
  @Test(arguments: 1...10)
  func aDaemonBehindManyShortLives(_ time: Int) async throws {
    let directory = try TemporaryDirectory()
    Files.write(
      directory.appending("hop"),
      """
      [ "$1" -gt 0 ] || { echo $$ > daemon; exec sleep 1000; }
      setsid sh hop $(($1 - 1)) &
      """)
    let result = try await runShell("sh hop 20", in: directory.path) {
      $0.grace = .milliseconds(100)
    }
    #expect(result.succeeded)
    usleep(200_000)
    #expect(ProcessTable.workers(in: directory.path) == [])
  }

  @Test func aStopSignalEndsGrandchildren() async throws {
    let directory = try TemporaryDirectory()
    let stop = StopSignal()
    let running = Task {
      try await runShell(
        "trap '' TERM; sh -c 'echo $$ > inner; while :; do sleep 1; done' & wait; wait",
        in: directory.path, stop: stop
      ) { $0.grace = .milliseconds(200) }
    }
    try await onThread {
      _ = try waitUntil("the grandchild") {
        Files.text(directory.appending("inner")).hasSuffix("\n") ? true : nil
      }
    }
    stop.stop(.terminate)
    let result = try await running.value
    #expect(result.cause == .stopSignal && stop.reason == .terminate)
    #expect(ProcessTable.workers(in: directory.path) == [])
  }

  @Test func whatCannotBeStartedIsSaidSo() async throws {
    let directory = try TemporaryDirectory()
    let environment = ["PATH": "/usr/bin:/bin"]
    #expect(throws: BusError.self) {
      try Executable.find("no-such-agent", environment: environment, directory: "/")
    }
    Files.write(directory.appending("script"), "#!/no/such/shell\n", executable: true)
    let path = try Executable.find(
      "./script", environment: environment, directory: directory.path)
    await #expect(throws: BusError.self) {
      try await onThread {
        _ = try ChildRun.run(
          ChildRequest(path, environment: environment, directory: directory.path))
      }
    }
    Files.write(directory.appending("plain"), "text")
    #expect {
      try Executable.find("./plain", environment: environment, directory: directory.path)
    } throws: {
      ($0 as? BusError)?.code == .permissionDenied
    }
  }

  /// Whoever has just written a program may have it open a little longer: in a child that was
  /// started meanwhile and has not become its own program yet.
  @Test func aProgramThatSomebodyHasOpenForWriting() async throws {
    let directory = try TemporaryDirectory()
    let path = directory.appending("agent")
    Files.write(path, "#!/bin/sh\nexit 7\n", executable: true)
    let writer = unsafe open(path, O_WRONLY | O_CLOEXEC)
    let request = ChildRequest(path, [], environment: [:], directory: directory.path)
    await #expect { try await onThread { try ChildRun.run(request) } } throws: {
      ($0 as? BusError)?.message.contains("Text file busy") == true
    }
    let running = Task { try await onThread { try ChildRun.run(request) } }
    usleep(100_000)
    close(writer)
    #expect(try await running.value.exit == .code(7))
  }

  @Test func aRelativePathEntryIsNotSearched() throws {
    let directory = try TemporaryDirectory()
    Files.write(directory.appending("agent"), "#!/bin/sh\n", executable: true)
    #expect(throws: BusError.self) {
      try Executable.find("agent", environment: ["PATH": ".:"], directory: directory.path)
    }
    let found = try Executable.find(
      "agent", environment: ["PATH": ".:\(directory.path)"], directory: "/")
    #expect(found == directory.appending("agent"))
  }
}

/// When a program is warned of, asked and killed, without a program.
@Suite struct ChildPaceTests {
  @Test func nothingIsDueWithoutALimit() {
    var pace = ChildPace(limit: nil, grace: .zero)
    #expect(pace.next(isStopped: false) == .nothing && pace.cause == .itself)
    #expect(pace.next(isStopped: true) == .ask && pace.cause == .stopSignal)
    #expect(pace.next(isStopped: true) == .kill)
    #expect(pace.next(isStopped: true) == .nothing)
  }

  @Test func whatHasPatienceMayEndByItself() {
    var pace = ChildPace(limit: nil, grace: .zero, patience: .seconds(3600))
    #expect(pace.heedsStop && pace.next(isStopped: true) == .nothing)
    #expect(!pace.heedsStop && pace.cause == .itself && pace.milliseconds <= 1000)
    var hasty = ChildPace(limit: nil, grace: .zero)
    #expect(hasty.next(isStopped: true) == .ask && hasty.cause == .stopSignal)
  }

  @Test func theFirstCauseHolds() {
    var pace = ChildPace(limit: .zero, grace: .seconds(3600))
    #expect(pace.next(isStopped: false) == .ask && pace.cause == .timeLimit)
    #expect(pace.next(isStopped: true) == .nothing && pace.cause == .timeLimit)
  }
}
