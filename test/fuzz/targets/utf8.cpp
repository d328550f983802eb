// The validator, the cut and the repair agree with a decoder that works on code points.
#include "protocol/utf8.h"

#include "fuzz.h"

namespace ohws::fuzz {
namespace {

struct Decoded {
  bool ascii = true;
  bool invalid = false;     // somewhere
  bool incomplete = false;  // a character is open at the end, and nothing is invalid before it
  size_t good_bytes = 0;    // how many can begin a valid text
  std::string repaired;
};

// RFC 3629 §4 by numbers: a character is a lead byte and as many continuation bytes as its value needs.
Decoded Decode(std::string_view text) {
  Decoded decoded;
  size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<uint8_t>(text[at]);
    if (lead >= 0x80) decoded.ascii = false;
    const size_t length = lead < 0x80       ? 1
                          : lead >> 5 == 6  ? 2
                          : lead >> 4 == 14 ? 3
                          : lead >> 3 == 30 ? 4
                                            : 0;
    uint32_t lowest = length == 0 ? 1 : lead & (0xff >> (length == 1 ? 1 : length + 1));
    uint32_t highest = length == 0 ? 0 : lowest;
    // The range of values that are still possible, byte by byte; legal ones have to remain in it.
    const auto possible = [&](size_t bytes_left) {
      const uint32_t from = lowest << (6 * bytes_left);
      const uint32_t to = (highest << (6 * bytes_left)) | ((1U << (6 * bytes_left)) - 1);
      const uint32_t least = length == 1 ? 0 : length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
      return to >= least && from <= 0x10ffff && !(from >= 0xd800 && to <= 0xdfff);
    };
    size_t good = 0;
    if (length != 0 && possible(length - 1)) {
      good = 1;
      while (good < length && at + good < text.size()) {
        const auto next = static_cast<uint8_t>(text[at + good]);
        if (next >> 6 != 2) break;
        lowest = highest = lowest << 6 | (next & 0x3f);
        if (!possible(length - good - 1)) break;
        ++good;
      }
    }
    if (!decoded.invalid) decoded.good_bytes = at + good;
    if (good == length && length != 0) {
      decoded.repaired.append(text.substr(at, length));
      at += length;
      continue;
    }
    decoded.repaired.append("\xef\xbf\xbd");
    const bool open = at + good == text.size() && good != 0;
    if (!open) decoded.invalid = true;
    if (open && !decoded.invalid) decoded.incomplete = true;
    at += std::max<size_t>(good, 1);
  }
  return decoded;
}

}  // namespace

void FuzzOne(Input input) {
  const uint8_t parts = input.Byte();
  const size_t most = input.Byte();
  const std::string text = input.Rest();
  const Decoded decoded = Decode(text);
  const Utf8Result expected = decoded.invalid      ? Utf8Result::kInvalid
                              : decoded.incomplete ? Utf8Result::kIncomplete
                              : decoded.ascii      ? Utf8Result::kAscii
                                                   : Utf8Result::kValid;
  REQUIRE(CheckUtf8(text) == expected);

  for (const uint8_t way : {uint8_t{0}, uint8_t{1}, parts}) {
    Utf8Validator validator;
    size_t fed = 0;
    InParts(text, way, [&](std::string_view part) {
      fed += part.size();
      const bool good = validator.Feed(reinterpret_cast<const uint8_t*>(part.data()), part.size());
      // It fails at the first bad byte, neither before nor after.
      REQUIRE(good == (fed <= decoded.good_bytes));
      return true;
    });
    REQUIRE(validator.result() == expected);
    REQUIRE(validator.Complete() == (expected == Utf8Result::kAscii || expected == Utf8Result::kValid));
    if (!decoded.invalid) REQUIRE(validator.ascii_only() == decoded.ascii);
    validator.Reset();
    REQUIRE(validator.result() == Utf8Result::kAscii);
  }

  REQUIRE(ReplaceInvalidUtf8(text) == decoded.repaired);
  const size_t cut = TruncateUtf8(text, most);
  REQUIRE(cut <= most && cut <= text.size() && cut + 3 >= std::min(most, text.size()));
  if (!decoded.invalid && !decoded.incomplete) {
    const Utf8Result kept = CheckUtf8(std::string_view(text).substr(0, cut));
    REQUIRE(kept == Utf8Result::kAscii || kept == Utf8Result::kValid);
    // One character more would not fit.
    size_t next = cut + 1;
    while (next < text.size() && (static_cast<uint8_t>(text[next]) & 0xc0) == 0x80) ++next;
    REQUIRE(cut == text.size() || next > most);
  }
}

}  // namespace ohws::fuzz
