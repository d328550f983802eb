// The limits by their names.
#include "protocol/limits.h"

#include "check.h"

namespace ohws {
namespace {

TEST(names_and_values) {
  EndpointLimits limits;
  limits.Set("messageBytes", "5");
  limits.Set("messageFragments", "Infinity");
  limits.Set("closeTimeoutMs", "600000");
  limits.Set("connections", "9007199254740991");
  limits.Set("queuedBytes", "1");  // JavaScript's
  CHECK_EQ(limits.message.max_message_bytes, 5u);
  CHECK_EQ(limits.message.max_fragments, kNoLimit);
  CHECK_EQ(limits.close_timeout_ms, 600'000u);
  CHECK_EQ(limits.connections, 9'007'199'254'740'991u);
}

}  // namespace
}  // namespace ohws
