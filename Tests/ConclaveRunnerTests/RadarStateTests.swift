import BusTesting
import Testing

@testable import ConclaveRunner

/// What the radar says, as a function of what it sees.
@Suite struct RadarStateTests {
  /// A board on which the last note about a subject counts.
  private struct Board {
    var notes: [RadarPost.Subject: RadarPost] = [:]

    mutating func take(_ posts: [RadarPost]) {
      for post in posts { notes[post.subject] = post.isWithdrawn ? nil : post }
    }
  }

  private func texts(_ posts: [RadarPost]) -> [String] {
    posts.map { post in
      let recipient = post.subject.recipient.map { " to \($0)" } ?? ""
      return "\(post.isWithdrawn ? "-" : "+")\(post.subject.sender)\(recipient): \(post.text)"
    }
  }

  @Test func eachFindingIsSaidOnce() {
    var state = RadarState()
    var picture = RadarPicture(touched: ["a": ["x", "y"], "b": []])
    #expect(texts(state.posts(for: picture, at: .zero)) == ["+a: changes x, y"])
    #expect(state.posts(for: picture, at: .seconds(5)).isEmpty)
    picture.touched["b"] = ["y"]
    #expect(
      texts(state.posts(for: picture, at: .seconds(10))) == [
        "+b: changes y", "+radar to b: a changes what this task changes, too: y",
        "+radar to a: b changes what this task changes, too: y",
      ])
    // That they can be merged, and then that they cannot, is another finding.
    picture.verdicts[RadarPair("b", "a")] = .merges
    #expect(
      texts(state.posts(for: picture, at: .seconds(15))).allSatisfy { $0.hasPrefix("+radar") })
    picture.verdicts[RadarPair("a", "b")] = .conflicts(["y"])
    let worse = texts(state.posts(for: picture, at: .seconds(20)))
    #expect(worse.count == 2 && worse.allSatisfy { $0.hasSuffix("merging them conflicts in y") })
    picture.touched["a"] = nil
    #expect(
      texts(state.posts(for: picture, at: .seconds(25))) == [
        "-a: changes x, y", "-radar" + worse[0].dropFirst(6), "-radar" + worse[1].dropFirst(6),
      ])
    #expect(state.posts(for: picture, at: .seconds(30)).isEmpty)
  }

  /// Who is merged has changed the same for good: it is not taken back from who is told, as long
  /// as that one is at work.
  @Test func whatIsMergedStillCollides() {
    var state = RadarState()
    var picture = RadarPicture(touched: ["a": ["x"], "b": ["x"], "c": ["y"]])
    #expect(state.posts(for: picture, at: .zero).count == 5)
    picture.touched["a"] = nil
    picture.merged = ["b": ["a"], "c": ["a"]]
    #expect(
      texts(state.posts(for: picture, at: .seconds(5))) == [
        "-a: changes x", "-radar to a: b changes what this task changes, too: x",
      ])
    #expect(state.posts(for: picture, at: .seconds(10)).isEmpty)
    let again = state.posts(for: picture, at: RadarPost.lifetime / 2)
    #expect(
      texts(again).contains("+radar to b: a changes what this task changes, too: x"))
    // It is done again, from where the other one's work is.
    picture.merged = ["c": ["a"]]
    #expect(
      texts(state.posts(for: picture, at: .seconds(1000))) == [
        "-radar to b: a changes what this task changes, too: x"
      ])
  }

  /// What still holds must not expire.
  @Test func whatHoldsIsSaidAgainInTime() {
    var state = RadarState()
    let picture = RadarPicture(touched: ["a": ["x"]])
    var posts: [Duration] = []
    for minute in 0...120 where !state.posts(for: picture, at: .seconds(minute * 60)).isEmpty {
      posts.append(.seconds(minute * 60))
    }
    #expect(posts.first == .zero && posts.count == 9)
    #expect(zip(posts, posts.dropFirst()).allSatisfy { $1 - $0 < RadarPost.lifetime })
  }

  @Test(arguments: [
    (["a"], ["a"], ["a"]), (["a"], ["b"], []), (["a/b"], ["a"], ["a"]), (["a"], ["a/b/c"], ["a"]),
    (["a/b"], ["a/c"], []), (["ab"], ["a"], []), (["a/b/c", "d"], ["a/b", "d"], ["a/b", "d"]),
    ([], [], []), (["a//"], ["a"], ["a"]), (["/a"], [""], [""]),
  ])
  func overlaps(_ one: [String], _ other: [String], _ common: [String]) {
    let picture = RadarPicture(touched: ["1": Set(one), "2": Set(other)])
    #expect(picture.overlaps[RadarPair("1", "2")] ?? [] == Set(common))
  }

  @Test func longListsAreCut() {
    let many = Set((10...40).map { "file-\($0)" })
    var state = RadarState()
    let posts = state.posts(for: RadarPicture(touched: ["a": many]), at: .zero)
    #expect(
      posts.map(\.text) == [
        "changes \((10...17).map { "file-\($0)" }.joined(separator: ", ")) and 23 more"
      ])
    let long = String(repeating: "long/", count: 1000) + "end.swift"
    let cut = state.posts(for: RadarPicture(touched: ["b": [long]]), at: .zero)
    #expect(cut.last?.text.utf8.count ?? 0 < 200 && cut.last?.text.hasSuffix("end.swift") == true)
  }

  /// Every course of a few looks at two tasks with two files, or at three tasks with one file: the
  /// board always says what is the case, and nothing that it says already is said again.
  @Test(arguments: [(2, 2, 2), (3, 1, 2), (2, 1, 3)])
  func smallWorlds(_ taskCount: Int, _ fileCount: Int, _ lookCount: Int) {
    var world = Exhaustive()
    while world.next() {
      var state = RadarState()
      var board = Board()
      for look in 0..<lookCount {
        let picture = picture(&world, taskCount, fileCount)
        let posts = state.posts(for: picture, at: .seconds(look))
        let before = board.notes
        board.take(posts)
        var fresh = RadarState()
        var wanted = Board()
        wanted.take(fresh.posts(for: picture, at: .zero))
        #expect(board.notes == wanted.notes)
        #expect(says(board, picture))
        let isNews = posts.allSatisfy { post in
          post.isWithdrawn ? before[post.subject] != nil : before[post.subject] != post
        }
        #expect(isNews && Set(posts.map(\.subject)).count == posts.count)
      }
    }
    #expect(world.count > 1000)
  }

  private func picture(_ world: inout Exhaustive, _ taskCount: Int, _ fileCount: Int)
    -> RadarPicture
  {
    var picture = RadarPicture()
    for task in 0..<taskCount where world.choose(2) == 1 {
      let files = world.choose(1 << fileCount)
      picture.touched["t\(task)"] = Set(
        (0..<fileCount).filter { files >> $0 & 1 == 1 }.map { "f\($0)" })
    }
    for pair in picture.overlaps.keys.sorted() {
      picture.verdicts[pair] = world.choose(of: [nil, .merges, .conflicts(["f0"])])
    }
    return picture
  }

  /// In other words than the code's: who touches something is named, and two who touch the same
  /// file are each told of the other.
  private func says(_ board: Board, _ picture: RadarPicture) -> Bool {
    var subjects: Set<RadarPost.Subject> = []
    for (task, files) in picture.touched where !files.isEmpty {
      subjects.insert(RadarPost.Subject(sender: task, about: "changes", recipient: nil))
      for (other, others) in picture.touched where other != task && !files.isDisjoint(with: others)
      {
        subjects.insert(
          RadarPost.Subject(sender: "radar", about: "overlap with \(other)", recipient: task))
      }
    }
    return Set(board.notes.keys) == subjects
  }
}
