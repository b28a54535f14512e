/// What the radar has said and still holds: pictures in, posts out. A value; knows no clock, no git
/// and no board.
///
/// Each finding is said once. It is said anew when it is another one, taken back when it is gone,
/// and said again before it would expire.
public struct RadarState: Hashable, Sendable {
  private struct Said: Hashable {
    var post: RadarPost
    var time: Duration
  }

  private var said: [RadarPost.Subject: Said] = [:]

  public init() {}

  /// What is to be posted now that the tasks look like this: withdrawals first, each sort in a
  /// fixed order. O(pairs x paths).
  ///
  /// - Parameter now: by any clock that goes on.
  public mutating func posts(for picture: RadarPicture, at now: Duration) -> [RadarPost] {
    let findings = RadarState.findings(of: picture) + lasting(picture)
    let subjects = Set(findings.map(\.subject))
    var posts: [RadarPost] = []
    for gone in said.values.map(\.post).filter({ !subjects.contains($0.subject) }).sorted(by: order)
    {
      said[gone.subject] = nil
      var withdrawal = gone
      withdrawal.isWithdrawn = true
      posts.append(withdrawal)
    }
    for finding in findings.sorted(by: order) where isNews(finding, at: now) {
      said[finding.subject] = Said(post: finding, time: now)
      posts.append(finding)
    }
    return posts
  }

  /// What was said of a task that is merged by now, to those that it collides with.
  private func lasting(_ picture: RadarPicture) -> [RadarPost] {
    picture.merged.flatMap { task, others in
      others.compactMap { said[RadarPost.overlap(of: task, with: $0)]?.post }
    }
  }

  private func isNews(_ finding: RadarPost, at now: Duration) -> Bool {
    guard let last = said[finding.subject], last.post == finding else { return true }
    return now - last.time >= RadarPost.lifetime / 2
  }

  private func order(_ one: RadarPost, _ other: RadarPost) -> Bool {
    func key(_ post: RadarPost) -> (String, String, String) {
      (post.subject.sender, post.subject.about, post.subject.recipient ?? "")
    }
    return key(one) < key(other)
  }

  private static func findings(of picture: RadarPicture) -> [RadarPost] {
    let changes = picture.touched.filter { !$0.value.isEmpty }.map { task, paths in
      RadarPost(task: task, touches: paths)
    }
    let overlaps = picture.overlaps.flatMap { pair, paths in
      let verdict = picture.verdicts[pair]
      return [(pair.first, pair.second), (pair.second, pair.first)].map { task, other in
        RadarPost(task: task, other: other, touch: paths, verdict)
      }
    }
    return changes + overlaps
  }
}
