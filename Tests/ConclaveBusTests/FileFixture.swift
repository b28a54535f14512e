import BusTesting
import ConclaveBus

/// A `FileBus` in a directory of its own.
final class FileFixture: BusFixture {
  let transportName = "FileBus"
  let sharesAcrossHandles = true
  let losesWhenSlow = false
  let makesPublishersWait = false
  let keepsMessages = true
  let ordersAcrossTopics = false

  private let directory: BusDirectory
  private let temporary: TemporaryDirectory

  init() throws {
    temporary = try TemporaryDirectory()
    directory = try BusDirectory(opening: temporary.path)
  }

  func makeBus() throws -> any MessageBus { try FileBus(directory: directory) }
}
