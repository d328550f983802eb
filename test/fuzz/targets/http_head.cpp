// However the bytes are cut, the same is read; and what is accepted, written out again, is read as the same.
#include "protocol/http_head.h"

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

using Status = HttpHead::Status;

struct Reading {
  Status status = Status::kMore;
  size_t used = 0;
  std::string text;  // what was read, as a head again
  bool operator==(const Reading&) const = default;
};

Reading Read(const std::string& bytes, uint8_t parts, HttpHead& head) {
  Reading reading;
  InParts(bytes, parts, [&](std::string_view part) {
    size_t used = 0;
    reading.status = head.Feed(part, used);
    REQUIRE(used <= part.size());
    reading.used += used;
    REQUIRE(reading.status != Status::kMore || used == part.size());
    return reading.status == Status::kMore;
  });
  if (reading.status != Status::kComplete) return reading;
  reading.text = head.method() + ' ' + head.target() + ' ' + head.version() + "\r\n";
  for (const HttpHead::Field& field : head.fields()) reading.text += field.name + ": " + field.value + "\r\n";
  reading.text += "\r\n";
  return reading;
}

bool IsClean(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

}  // namespace

void FuzzOne(Input input) {
  const uint8_t parts = input.Byte();
  const std::string bytes = input.Rest();
  HttpHead whole;
  const Reading expected = Read(bytes, 0, whole);
  for (const uint8_t way : {uint8_t{1}, parts}) {
    HttpHead head;
    REQUIRE(Read(bytes, way, head) == expected);
  }
  if (expected.status != Status::kComplete) return;

  REQUIRE(bytes.substr(0, expected.used).ends_with("\r\n\r\n"));
  REQUIRE(!whole.method().empty() && !whole.target().empty() && whole.version().starts_with("HTTP/"));
  for (const HttpHead::Field& field : whole.fields()) {
    REQUIRE(IsToken(field.name) && IsClean(field.value));
    REQUIRE(field.value.empty() || (field.value.front() != ' ' && field.value.back() != ' '));
    REQUIRE(whole.Value(field.name).find(field.value) != std::string::npos);
  }
  HttpHead again;
  const Reading second = Read(expected.text, parts, again);
  REQUIRE(second.status == Status::kComplete && second.used == expected.text.size() &&
          second.text == expected.text);

  if (CheckUpgradeRequest(whole) == UpgradeRefusal::kNone) {
    REQUIRE(whole.method() == "GET" && IsWebSocketKey(whole.Value("sec-websocket-key")));
    REQUIRE(whole.Value("sec-websocket-version") == "13" && !whole.Value("host").empty());
    REQUIRE(ListContainsToken(whole.Value("upgrade"), "websocket"));
    REQUIRE(ListContainsToken(whole.Value("connection"), "upgrade"));
    REQUIRE(whole.Value("transfer-encoding").empty());
  }
}

}  // namespace ohws::fuzz
