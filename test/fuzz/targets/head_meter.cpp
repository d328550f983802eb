// However a head is cut, its bytes and lines are counted as one byte after the other.
#include "protocol/head_meter.h"

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

using Verdict = HeadMeter::Verdict;

Verdict MeasureNaively(const std::string& head, uint64_t max_bytes, uint64_t max_lines) {
  uint64_t lines = 0;
  std::string line;
  for (size_t at = 0; at < head.size(); ++at) {
    if (at + 1 > max_bytes) return Verdict::kTooManyBytes;
    if (head[at] != '\n') {
      line += head[at];
      continue;
    }
    const bool empty = line.empty() || line == "\r";
    if (empty && lines != 0) return Verdict::kFits;
    if (!empty) ++lines;
    // The request line is none of the headers.
    if (lines > max_lines + 1) return Verdict::kTooManyLines;
    line.clear();
  }
  return Verdict::kFits;
}

Verdict Measure(const std::string& head, uint64_t max_bytes, uint64_t max_lines, uint8_t parts) {
  HeadMeter meter(max_bytes, max_lines);
  Verdict verdict = Verdict::kFits;
  InParts(head, parts, [&](std::string_view part) {
    verdict = meter.Feed(part);
    return verdict == Verdict::kFits;
  });
  return verdict;
}

}  // namespace

void FuzzOne(Input input) {
  const uint8_t parts = input.Byte();
  const uint64_t max_bytes = input.Byte();
  const uint64_t max_lines = input.Byte() % 8;
  const std::string head = input.Rest();
  const Verdict expected = MeasureNaively(head, max_bytes, max_lines);
  for (const uint8_t way : {uint8_t{0}, uint8_t{1}, parts}) {
    REQUIRE(Measure(head, max_bytes, max_lines, way) == expected);
  }
}

}  // namespace ohws::fuzz
