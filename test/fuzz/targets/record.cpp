// Lists of strings: what was written is read, and any bytes are read without a step beyond them.
#include "wire/record.h"

#include "fuzz.h"

namespace ohws::fuzz {

void FuzzOne(Input input) {
  const std::string bytes = input.Rest();
  // Exactly as many bytes as there are, so that a step beyond them is seen.
  const std::vector<char> copy(bytes.begin(), bytes.end());
  const std::string_view list(copy.data(), copy.size());
  StringListReader any(list);
  StringListWriter writer;
  std::vector<std::string> strings;
  while (const auto text = any.Next()) {
    REQUIRE(text->empty() ||
            (text->data() >= list.data() && text->data() + text->size() <= list.data() + list.size()));
    strings.emplace_back(*text);
    writer.Add(*text);
    REQUIRE(strings.size() <= bytes.size() / 4);
  }
  REQUIRE(!any.Next().has_value() || bytes.size() >= 4);

  REQUIRE(writer.bytes().size() % 4 == 0);
  StringListReader again(writer.bytes());
  for (const std::string& text : strings) {
    const auto next = again.Next();
    REQUIRE(next.has_value() && *next == text);
  }
  REQUIRE(!again.Next().has_value());

  const auto size = static_cast<uint32_t>(bytes.size());
  REQUIRE(RecordBytes(size) % kRecordAlign == 0 && RecordBytes(size) >= sizeof(RecordHeader) + size);
  REQUIRE(RecordBytes(size) < sizeof(RecordHeader) + size + kRecordAlign);
}

}  // namespace ohws::fuzz
