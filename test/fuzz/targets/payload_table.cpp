// Any sequence of puts and takes: a token gives its own payload once, and a wrong one gives nothing. What
// cannot be made larger stays as it is.
#include "wire/payload_table.h"

#include <map>

#include "fuzz.h"

// For payloads that are larger than all memory.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }

namespace ohws::fuzz {

void FuzzOne(Input input) {
  PayloadTable table;
  std::map<uint32_t, std::string> expected;
  size_t bytes = 0;
  while (!input.empty()) {
    const uint8_t step = input.Byte();
    if (step % 2 == 0) {
      const std::string text = input.Text(64);
      Payload payload = Payload::Allocate(text.size());
      REQUIRE(payload.data != nullptr && payload.size == text.size());
      std::copy(text.begin(), text.end(), payload.data.get());
      if (step == 254) REQUIRE(!payload.Resize(SIZE_MAX / 4) && payload.size == text.size());
      const uint32_t token = table.Put(std::move(payload));
      REQUIRE(expected.emplace(token, text).second);
      bytes += text.size();
    } else {
      const uint32_t token = step == 255 ? UINT32_MAX : step / 2 % 16;
      const Payload taken = table.Take(token);
      const auto found = expected.find(token);
      REQUIRE((taken.data != nullptr) == (found != expected.end()));
      if (found == expected.end()) continue;
      REQUIRE(found->second == std::string_view(reinterpret_cast<const char*>(taken.data.get()), taken.size));
      bytes -= taken.size;
      expected.erase(found);
    }
    REQUIRE(table.bytes() == bytes);
  }
}

}  // namespace ohws::fuzz
