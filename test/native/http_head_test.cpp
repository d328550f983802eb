// Heads of HTTP requests: the grammar, and that no cut changes what is found.
#include "protocol/http_head.h"

#include "check.h"

namespace ohws {
namespace {

using namespace std::string_view_literals;
using Status = HttpHead::Status;

constexpr std::string_view kHead =
    "GET /chat?a=1 HTTP/1.1\r\nHost: example.com\r\nX-A:\t 1 \t\r\nX-a: 2\r\nX-Empty:\r\n\r\n";

Status Judge(std::string_view text) {
  HttpHead head;
  size_t used = 0;
  return head.Feed(text, used);
}

Status JudgeField(std::string_view line) {
  return Judge(std::string("GET / HTTP/1.1\r\n").append(line).append("\r\n\r\n"));
}

TEST(parts_of_a_head) {
  const std::string more = std::string(kHead) + "frames";
  HttpHead head;
  size_t used = 0;
  CHECK_EQ(head.Feed(more, used), Status::kComplete);
  CHECK_EQ(used, kHead.size());
  CHECK_EQ(head.method(), "GET");
  CHECK_EQ(head.target(), "/chat?a=1");
  CHECK_EQ(head.version(), "HTTP/1.1");
  CHECK_EQ(head.fields().size(), size_t{4});
  CHECK_EQ(head.Value("host"), "example.com");
  CHECK_EQ(head.Value("x-a"), "1, 2");
  CHECK_EQ(head.Value("x-empty"), "");
  CHECK_EQ(head.Value("x-b"), "");
}

TEST(every_cut_finds_the_same) {
  for (size_t cut = 0; cut <= kHead.size(); ++cut) {
    HttpHead head;
    size_t used = 0;
    const Status first = head.Feed(kHead.substr(0, cut), used);
    CHECK_EQ(used, cut);
    CHECK_EQ(first, cut == kHead.size() ? Status::kComplete : Status::kMore);
    if (first == Status::kMore) CHECK_EQ(head.Feed(kHead.substr(cut), used), Status::kComplete);
    CHECK_EQ(head.Value("x-a"), "1, 2");
  }
}

TEST(request_lines) {
  for (const auto line :
       {"GET / HTTP/1.1", "x * HTTP/2.0", "POST http://a/b HTTP/0.9", "\r\n\r\nGET / HTTP/1.1"}) {
    CHECK_EQ(Judge(std::string(line) + "\r\n\r\n"), Status::kComplete);
  }
  for (const auto line :
       {"GET /", "GET", " GET / HTTP/1.1", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET / HTTP/1.1 ",
        "GET / HTTP/11", "GET / http/1.1", "GET / HTTP/1.10", "GET /a b HTTP/1.1", "GET a HTTP/1.1",
        "GET /\xc3\xa9 HTTP/1.1", "GET\t/ HTTP/1.1", "G(T / HTTP/1.1", "Host: a"}) {
    CHECK_EQ(Judge(std::string(line) + "\r\n"), Status::kMalformed);
  }
}

TEST(fields) {
  for (const auto line : {"A:", "a: \xff", "!#$%&'*+-.^_`|~1: x", "A: b:c"}) {
    CHECK_EQ(JudgeField(line), Status::kComplete);
  }
  for (const auto line : {"A : b", " A: b", "\tA: b", "A", ":b", "A b: c", "A\xc3: b"}) {
    CHECK_EQ(JudgeField(line), Status::kMalformed);
  }
}

TEST(line_ends_and_control_characters_are_judged_at_once) {
  CHECK_EQ(Judge("GET / HTTP/1.1\n"), Status::kMalformed);
  CHECK_EQ(Judge("GET / HTTP/1.1\r\r"), Status::kMalformed);
  CHECK_EQ(Judge("GET / HTTP/1.1\rX"), Status::kMalformed);
  for (int c = 0; c < 0x20; ++c) {
    if (c == '\t' || c == '\r') continue;
    CHECK_EQ(Judge(std::string("GET / HTTP/1.1\r\nA: b") + static_cast<char>(c)), Status::kMalformed);
  }
  CHECK_EQ(Judge("\x16\x03\x01"sv), Status::kMalformed);
}

}  // namespace
}  // namespace ohws
