// A peer that resets its connection while requests of it are left: the connection ends, and takes no more
// turns.
#include "engine_here.h"

namespace ohws::check {
namespace {

constexpr std::string_view kPlain = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST(requests_of_a_peer_that_is_gone_are_not_answered_on_and_on) {
  std::string many;
  while (many.size() < 30'000) many.append(kPlain);
  for (const std::string& requests : {std::string(kPlain).append(kPlain).append(kPlain), many}) {
    // The reset comes before, between and behind the answers.
    for (int answers = 0; answers < 6; ++answers) {
      EngineHere engine;
      Client client(engine.Listen({"rules", "netstack"}));
      while (engine.Stat("handshakes.pending") == 0) engine.Turn(10);
      client.Send(requests);
      for (int turns = 0; turns < answers; ++turns) engine.Turn();
      client.Reset();
      for (int turns = 0; turns < 20; ++turns) engine.Turn();
      CHECK_EQ(engine.Stat("handshakes.pending"), 0U);
    }
  }
}

}  // namespace
}  // namespace ohws::check
