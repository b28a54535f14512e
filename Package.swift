// swift-tools-version: 6.3

import PackageDescription

let package = Package(
  name: "conclave",
  products: [
    .executable(name: "conclave", targets: ["ConclaveMain"]),
    .executable(name: "conclave-bench", targets: ["ConclaveBenchmarks"]),
    .library(name: "ConclaveBus", targets: ["ConclaveBus"]),
    .library(name: "ConclaveBoard", targets: ["ConclaveBoard"]),
    .library(name: "SharedRing", targets: ["SharedRing"]),
    .library(name: "BusTesting", targets: ["BusTesting"]),
  ],
  targets: [
    // The floors of the house, lowest first: arrows only point down.
    .target(name: "CShim", path: "CShim"),
    .target(name: "SharedRing", dependencies: ["CShim"]),
    .target(name: "ConclaveBus", dependencies: ["SharedRing", "CShim"]),
    // Runs agents and the programs that judge their work.
    .target(name: "ConclaveRunner", dependencies: ["ConclaveBus", "SharedRing", "CShim"]),
    // Several agents on one question.
    .target(
      name: "ConclaveConsensus", dependencies: ["ConclaveRunner", "ConclaveBus", "SharedRing"]),
    .target(name: "ConclaveBoard", dependencies: ["ConclaveBus", "SharedRing"]),
    // The stress test as a library, since the command and the benchmarks both run it.
    .target(name: "ConclaveStress", dependencies: ["ConclaveBus", "SharedRing", "CShim"]),
    .target(
      name: "ConclaveTool",
      dependencies: [
        "ConclaveConsensus", "ConclaveRunner", "ConclaveStress", "ConclaveBoard", "ConclaveBus",
        "SharedRing", "CShim",
      ]),
    // The entry alone, because its linker setting must not reach the tests. Loading the standard
    // library's dynamic parts would double the time to start, and scripts call this command often.
    .executableTarget(
      name: "ConclaveMain", dependencies: ["ConclaveTool"],
      linkerSettings: [.unsafeFlags(["-static-stdlib"], .when(configuration: .release))]),

    // The conformance suite is a product: others run it over their own transport.
    .target(
      name: "BusTesting", dependencies: ["ConclaveBus", "SharedRing"], path: "Tests/BusTesting"),
    .executableTarget(
      name: "ConclaveBenchmarks",
      dependencies: ["ConclaveStress", "ConclaveBus", "SharedRing", "CShim"],
      path: "Benchmarks"),

    // Kills publishers, subscribers, mirrors and runs of plans by the thousand; run by tests, and
    // alone for longer.
    .executableTarget(
      name: "conclave-storm",
      dependencies: ["ConclaveTool", "ConclaveBus", "SharedRing", "BusTesting", "SteppedClock"],
      path: "Tests/ConclaveStorm"),
    .target(name: "SteppedClock", path: "Tests/SteppedClock"),
    // Kills and stops participants of the ring, and mirrors, at every instruction.
    .target(name: "StepTracer", dependencies: ["CShim"], path: "Tests/StepTracer"),
    .executableTarget(
      name: "conclave-step",
      dependencies: ["StepTracer", "ConclaveBus", "SharedRing", "BusTesting"],
      path: "Tests/ConclaveStep"),
    .testTarget(name: "SharedRingTests", dependencies: ["SharedRing", "CShim", "BusTesting"]),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .testTarget(
      name: "ConclaveBusTests",
      dependencies: ["ConclaveBus", "SharedRing", "BusTesting", "AllocationCounter"]),
    .testTarget(
      name: "ConclaveBoardTests", dependencies: ["ConclaveBoard", "ConclaveBus", "BusTesting"]),
    .testTarget(
      name: "ConclaveStressTests",
      dependencies: [
        "ConclaveStress", "ConclaveTool", "ConclaveBus", "CShim", "BusTesting", "conclave-storm",
        "conclave-step",
      ]),
    .testTarget(
      name: "ConclaveRunnerTests",
      dependencies: ["ConclaveRunner", "ConclaveBus", "SharedRing", "BusTesting"]),
    .testTarget(
      name: "ConclaveConsensusTests",
      dependencies: [
        "ConclaveConsensus", "ConclaveRunner", "ConclaveBus", "SharedRing", "BusTesting",
      ]),
    .testTarget(
      name: "ConclaveToolTests",
      dependencies: [
        "ConclaveTool", "ConclaveBenchmarks", "ConclaveBoard", "ConclaveBus", "SharedRing",
        "BusTesting", "conclave-storm",
      ]),
    .testTarget(name: "ReadmeTests", dependencies: ["ConclaveTool", "ConclaveBus", "BusTesting"]),
    .testTarget(name: "ConclaveBenchmarksTests", dependencies: ["ConclaveBenchmarks"]),
    .testTarget(name: "TidyTests"),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17
)

for target in package.targets {
  if ["CShim", "AllocationCounter", "SteppedClock", "StepTracer"].contains(target.name) {
    target.cSettings = [
      .define("_GNU_SOURCE"),
      .enableWarning("all"), .enableWarning("extra"), .enableWarning("padded"),
      .enableWarning("conversion"), .treatAllWarnings(as: .error),
    ]
  } else {
    target.swiftSettings = [
      .strictMemorySafety(), .treatAllWarnings(as: .error),
      .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
      .enableUpcomingFeature("InternalImportsByDefault"),
    ]
    // Defects that a test can plant, to see the storm notice them: never in a release.
    let testable = ["ConclaveBus", "ConclaveRunner", "conclave-storm", "conclave-step"]
    if testable.contains(target.name) {
      target.swiftSettings?.append(
        .define("PLANTED_DEFECTS", .when(configuration: .debug)))
    }
  }
}
