// Heads at their limits and one beyond, in every split.
#include "protocol/head_meter.h"

#include "check.h"

namespace ohws {
namespace {

using Verdict = HeadMeter::Verdict;

const std::string kHead = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n";

Verdict Feed(HeadMeter meter, std::string_view text, size_t piece) {
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    const Verdict verdict = meter.Feed(text.substr(0, piece));
    if (verdict != Verdict::kFits) return verdict;
  }
  return Verdict::kFits;
}

TEST(limits_in_every_split) {
  for (size_t piece = 1; piece <= kHead.size(); ++piece) {
    CHECK_EQ(Feed({kHead.size(), 2}, kHead, piece), Verdict::kFits);
    CHECK_EQ(Feed({kHead.size() - 1, 2}, kHead, piece), Verdict::kTooManyBytes);
    CHECK_EQ(Feed({kHead.size(), 1}, kHead, piece), Verdict::kTooManyLines);
    // What follows is none of it.
    CHECK_EQ(Feed({kHead.size(), 2}, kHead + "\x81\x85\n\n\n\n\n\n" + std::string(100, 'x'), piece),
             Verdict::kFits);
  }
}

TEST(a_head_that_never_ends) {
  HeadMeter bytes(100, 1000);
  CHECK_EQ(bytes.Feed(std::string(100, 'x')), Verdict::kFits);
  CHECK_EQ(bytes.Feed("x"), Verdict::kTooManyBytes);
  HeadMeter lines(1000, 3);
  CHECK_EQ(lines.Feed("GET\r\na:b\nc:d\r\ne:f\r\n"), Verdict::kFits);
  CHECK_EQ(lines.Feed("g:h"), Verdict::kFits);
  CHECK_EQ(lines.Feed("\n"), Verdict::kTooManyLines);
}

TEST(a_line_of_two_returns_is_not_empty) {
  for (const size_t piece : {size_t{100}, size_t{1}, size_t{2}, size_t{3}}) {
    CHECK_EQ(Feed({30, 10}, "GET\r\n\r\r\n" + std::string(30, 'x'), piece), Verdict::kTooManyBytes);
  }
}

TEST(empty_lines_before_a_head) {
  HeadMeter meter(30, 1);
  CHECK_EQ(meter.Feed("\r\n\r\nGET\r\na:b\r\n\r\n"), Verdict::kFits);
  CHECK_EQ(meter.Feed(std::string(1000, '\n')), Verdict::kFits);
  HeadMeter empty(10, 1);
  CHECK_EQ(empty.Feed("\n\n\n\n\n\n\n\n\n\n"), Verdict::kFits);
  CHECK_EQ(empty.Feed("\n"), Verdict::kTooManyBytes);
}

}  // namespace
}  // namespace ohws
