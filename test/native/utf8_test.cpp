// UTF-8: against a slow reference that knows only how a code point is encoded.
#include "protocol/utf8.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "check.h"

namespace ohws {
namespace {

using check::Random;

// Every byte at an edge of some rule, and some that are not.
constexpr uint8_t kEdges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
                              0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};

std::string FromBytes(std::initializer_list<unsigned> bytes) {
  std::string text;
  for (const unsigned byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

std::string Encode(uint32_t code_point) {
  if (code_point < 0x80) return FromBytes({code_point});
  if (code_point < 0x800) return FromBytes({0xc0 | code_point >> 6, 0x80 | (code_point & 0x3f)});
  if (code_point < 0x10000) {
    return FromBytes({0xe0 | code_point >> 12, 0x80 | (code_point >> 6 & 0x3f), 0x80 | (code_point & 0x3f)});
  }
  return FromBytes({0xf0 | code_point >> 18, 0x80 | (code_point >> 12 & 0x3f),
                    0x80 | (code_point >> 6 & 0x3f), 0x80 | (code_point & 0x3f)});
}

bool IsScalar(uint32_t code_point) {
  return code_point <= 0x10ffff && (code_point < 0xd800 || code_point > 0xdfff);
}

// Is `bytes` exactly one character? Decodes without any rule, then asks whether encoding gives it back.
bool IsCharacter(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > 4) return false;
  constexpr unsigned kLeadBits[] = {0x7f, 0x1f, 0x0f, 0x07};
  uint32_t code_point = static_cast<uint8_t>(bytes[0]) & kLeadBits[bytes.size() - 1];
  for (const char c : bytes.substr(1)) code_point = code_point << 6 | (static_cast<uint8_t>(c) & 0x3f);
  return IsScalar(code_point) && Encode(code_point) == bytes;
}

bool TryToComplete(const std::string& bytes) {
  if (IsCharacter(bytes)) return true;
  if (bytes.empty() || bytes.size() > 3) return bytes.empty();
  for (const char next : {'\x80', '\x8f', '\x90', '\x9f', '\xa0', '\xbf'}) {
    if (TryToComplete(bytes + next)) return true;
  }
  return false;
}

// Can some character begin with `bytes`? Tries every edge as what may follow, and remembers the outcome.
bool BeginsCharacter(const std::string& bytes) {
  static std::unordered_map<std::string, bool> known;
  const auto [entry, fresh] = known.try_emplace(bytes, false);
  if (fresh) entry->second = TryToComplete(bytes);
  return entry->second;
}

struct Reference {
  Utf8Result result;
  std::string replaced;
};

Reference Judge(const std::string& text) {
  Reference judged{Utf8Result::kAscii, {}};
  size_t at = 0;
  while (at < text.size()) {
    size_t viable = 0;  // the longest part from here that begins a character, or is one
    std::optional<size_t> whole;
    for (size_t n = 1; n <= 4 && at + n <= text.size() && !whole; ++n) {
      if (!BeginsCharacter(text.substr(at, n))) break;
      viable = n;
      if (IsCharacter(std::string_view(text).substr(at, n))) whole = n;
    }
    if (whole) {
      if (*whole > 1 && judged.result == Utf8Result::kAscii) judged.result = Utf8Result::kValid;
      judged.replaced += text.substr(at, *whole);
      at += *whole;
      continue;
    }
    const bool open = viable != 0 && at + viable == text.size();
    if (judged.result != Utf8Result::kInvalid) {
      judged.result = open ? Utf8Result::kIncomplete : Utf8Result::kInvalid;
    }
    judged.replaced += "\xef\xbf\xbd";
    at += viable == 0 ? 1 : viable;
  }
  return judged;
}

const uint8_t* Data(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

// Bytes taken before the first refusal when fed one at a time.
size_t FirstRefusal(std::string_view text) {
  Utf8Validator validator;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!validator.Feed(Data(text) + i, 1)) return i;
  }
  return text.size();
}

std::string RandomText(Random& random, size_t characters, bool damaged) {
  std::string text;
  for (size_t i = 0; i < characters; ++i) {
    const size_t kind = random.Below(8);
    if (kind == 0) text.append(random.Below(80), 'x');
    if (kind < 4) text += Encode(static_cast<uint32_t>(random.Below(0x80)));
    if (kind == 4) text += Encode(static_cast<uint32_t>(0x80 + random.Below(0x780)));
    if (kind == 5 || kind == 6) text += Encode(static_cast<uint32_t>(0x800 + random.Below(0xd000)));
    if (kind == 7) text += Encode(static_cast<uint32_t>(0x10000 + random.Below(0x100000)));
  }
  if (damaged && !text.empty()) {
    text[random.Below(text.size())] = static_cast<char>(kEdges[random.Below(std::size(kEdges))]);
  }
  return text;
}

TEST(every_code_point_is_valid_and_surrogates_are_not) {
  int wrong = 0;
  for (uint32_t code_point = 0; code_point <= 0x110000; ++code_point) {
    Utf8Result expected = code_point < 0x80 ? Utf8Result::kAscii : Utf8Result::kValid;
    if (!IsScalar(code_point)) expected = Utf8Result::kInvalid;
    wrong += CheckUtf8(Encode(code_point)) != expected;
  }
  CHECK_EQ(wrong, 0);
}

TEST(edge_bytes_in_all_combinations) {
  int wrong = 0;
  std::string text(4, '\0');
  for (const uint8_t a : kEdges) {
    for (const uint8_t b : kEdges) {
      for (const uint8_t c : kEdges) {
        for (const uint8_t d : kEdges) {
          text = FromBytes({a, b, c, d});
          const Reference expected = Judge(text);
          wrong += CheckUtf8(text) != expected.result;
          wrong += ReplaceInvalidUtf8(text) != expected.replaced;
          // The same in the middle of a longer text, where whole characters are read at once.
          const bool open = expected.result == Utf8Result::kIncomplete;
          const std::string inner = "0123456789abcdef" + text + "0123456789abcdef";
          wrong += CheckUtf8(inner) != (open ? Utf8Result::kInvalid : expected.result);
        }
      }
    }
  }
  CHECK_EQ(wrong, 0);
}

TEST(all_pairs_of_bytes) {
  int wrong = 0;
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      const std::string text = FromBytes({a, b});
      wrong += CheckUtf8(text) != Judge(text).result;
    }
  }
  CHECK_EQ(wrong, 0);
}

TEST(fails_at_the_first_byte_that_cannot_continue) {
  CHECK_EQ(FirstRefusal("a\x80"), 1u);
  CHECK_EQ(FirstRefusal("\xc0\x80"), 0u);  // overlong lead
  CHECK_EQ(FirstRefusal("\xc1\xbf"), 0u);
  CHECK_EQ(FirstRefusal("\xe0\x9f\xbf"), 1u);      // overlong
  CHECK_EQ(FirstRefusal("\xed\xa0\x80"), 1u);      // surrogate
  CHECK_EQ(FirstRefusal("\xf0\x8f\xbf\xbf"), 1u);  // overlong
  CHECK_EQ(FirstRefusal("\xf4\x90\x80\x80"), 1u);  // above U+10FFFF
  CHECK_EQ(FirstRefusal("\xf5"), 0u);
  CHECK_EQ(FirstRefusal("\xe2\x82"
                        "a"),
           2u);
  CHECK_EQ(FirstRefusal("\xf0\x9f\x98\xc0"), 3u);
  CHECK_EQ(FirstRefusal("\xf4\x8f\xbf\xbf"), 4u);
}

TEST(a_failure_lasts_until_reset) {
  Utf8Validator validator;
  CHECK(!validator.Feed(Data("\xff"), 1));
  CHECK(!validator.Feed(Data("a"), 1));
  CHECK(!validator.Feed(nullptr, 0));
  CHECK(!validator.Complete());
  CHECK_EQ(validator.result(), Utf8Result::kInvalid);
  validator.Reset();
  CHECK(validator.Feed(Data("a"), 1));
  CHECK(validator.Complete());
  CHECK(validator.ascii_only());
}

TEST(an_open_character_is_not_complete) {
  const std::string euro = "\xe2\x82\xac";
  Utf8Validator validator;
  CHECK(validator.Feed(nullptr, 0));
  CHECK(validator.Complete());
  CHECK(validator.Feed(Data(euro), 1));
  CHECK(!validator.Complete());
  CHECK(!validator.ascii_only());
  CHECK(validator.Feed(Data(euro) + 1, 1));
  CHECK_EQ(validator.result(), Utf8Result::kIncomplete);
  CHECK(validator.Feed(Data(euro) + 2, 1));
  CHECK(validator.Complete());
  CHECK_EQ(validator.result(), Utf8Result::kValid);
}

TEST(one_other_byte_at_every_place_of_a_block) {
  for (size_t size = 1; size <= 150; ++size) {
    const std::string plain(size, 'a');
    CHECK_EQ(CheckUtf8(plain), Utf8Result::kAscii);
    for (size_t at = 0; at < size; ++at) {
      std::string damaged = plain;
      damaged[at] = '\x80';
      CHECK_EQ(CheckUtf8(damaged), Utf8Result::kInvalid);
      std::string good = plain;
      good.replace(at, 1, "\xc3\xa4");
      CHECK_EQ(CheckUtf8(good), Utf8Result::kValid);
    }
  }
}

TEST(random_texts_in_random_pieces) {
  Random random(1);
  int wrong = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string text = RandomText(random, random.Below(30), round % 2 == 1);
    const Reference expected = Judge(text);
    Utf8Validator validator;
    bool ok = true;
    for (size_t at = 0; at < text.size();) {
      const size_t size = random.Below(std::min<size_t>(text.size() - at, 40) + 1);
      ok = validator.Feed(Data(text) + at, size);
      at += size;
    }
    wrong += validator.result() != expected.result;
    wrong += ok != (expected.result != Utf8Result::kInvalid);
    wrong += CheckUtf8(text) != expected.result;
    wrong += ReplaceInvalidUtf8(text) != expected.replaced;
    wrong += validator.Complete() !=
             (expected.result == Utf8Result::kAscii || expected.result == Utf8Result::kValid);
  }
  CHECK_EQ(wrong, 0);
}

TEST(truncation_keeps_characters_whole) {
  CHECK_EQ(TruncateUtf8("", 0), 0u);
  CHECK_EQ(TruncateUtf8("abc", 0), 0u);
  CHECK_EQ(TruncateUtf8("abc", 3), 3u);
  CHECK_EQ(TruncateUtf8("abc", 99), 3u);
  Random random(2);
  for (int round = 0; round < 300; ++round) {
    const std::string text = RandomText(random, 12, false);
    for (size_t max_bytes = 0; max_bytes <= text.size() + 1; ++max_bytes) {
      size_t expected = std::min(max_bytes, text.size());
      while (Judge(text.substr(0, expected)).result == Utf8Result::kIncomplete) --expected;
      CHECK_EQ(TruncateUtf8(text, max_bytes), expected);
    }
  }
}

TEST(truncation_of_invalid_text_stays_near_the_limit) {
  const std::string text(20, '\x80');
  for (size_t max_bytes = 0; max_bytes < text.size(); ++max_bytes) {
    const size_t cut = TruncateUtf8(text, max_bytes);
    CHECK(cut <= max_bytes && cut + 3 >= max_bytes);
  }
}

TEST(replacement_of_maximal_parts) {
  const std::string r = "\xef\xbf\xbd";
  CHECK_EQ(ReplaceInvalidUtf8("a\xff"
                              "b"),
           "a" + r + "b");  // peerclose-reason-05
  CHECK_EQ(ReplaceInvalidUtf8("\xc0\xaf"), r + r);
  CHECK_EQ(ReplaceInvalidUtf8("\xe0\x80\xbf"), r + r + r);
  CHECK_EQ(ReplaceInvalidUtf8("\xed\xa0\x80"), r + r + r);
  CHECK_EQ(ReplaceInvalidUtf8("\xf0\x9f\x98"), r);
  CHECK_EQ(ReplaceInvalidUtf8("\xf0\x9f\x98z"), r + "z");
  CHECK_EQ(ReplaceInvalidUtf8("\xe2\x82\xe2\x82\xac"), r + "\xe2\x82\xac");
  CHECK_EQ(ReplaceInvalidUtf8(std::string("a\0b", 3)), std::string("a\0b", 3));
  CHECK_EQ(ReplaceInvalidUtf8(""), "");
}

}  // namespace
}  // namespace ohws
