// The whole engine with libwebsockets, OpenSSL and real sockets on loopback, both roles and both rules,
// driven by a script (../script): what JavaScript puts into the ring, and what peers send. All of it runs on
// this thread and by a clock of the script. Checked: the order of the records that come up; what they say;
// that whatever we send to a peer is legal frames; and that at the end, everybody having been closed and time
// having gone by, nothing is left: no connection, no descriptor, no file, no payload.
#include <fcntl.h>
#include <unistd.h>

#include "engine/core.h"
#include "fuzz.h"
#include "protocol/deflate_budget.h"
#include "script/clock.h"
#include "script/script.h"

namespace ohws::fuzz {
namespace {

// The lowest free one, which is the same before and after if none was left open.
int FreeDescriptor() {
  const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(fd);
  return fd;
}

void Run(Input& input) {
  PayloadTable up_payloads;
  PayloadTable down_payloads;
  std::atomic<bool> stop = false;
  auto made = std::make_unique<Script>(input, up_payloads, down_payloads, stop);
  Script& script = *made;
  {
    Core core(
        script.up(), script.down(), up_payloads, down_payloads, [] {}, std::move(made), true);
    REQUIRE(core.Start());
    do {
      stop.store(false);
      core.Run(stop);
      script.SendAtOnce(core);
    } while (!script.finished());
  }
  REQUIRE(up_payloads.bytes() == 0 && down_payloads.bytes() == 0);
  REQUIRE(DeflateBudget::Process().used() == 0);
}

}  // namespace

void FuzzOne(Input input) {
  // What the process remembers of addresses (netstack's bans) is over when the next script begins.
  static uint64_t begin_us = 1'000'000'000;
  constexpr uint64_t kHourUs = 3'600'000'000;
  // What libwebsockets and OpenSSL open once and keep.
  static const bool warm = [] {
    script_us = begin_us;
    const uint8_t listens_and_connects[] = {0, 0, 8, 0, 0, 0, 0, 1, 0, 0, 1};
    Input bytes(listens_and_connects);
    Run(bytes);
    begin_us = script_us + kHourUs;
    return true;
  }();
  static_cast<void>(warm);
  const int before = FreeDescriptor();
  script_us = begin_us;
  Run(input);
  begin_us = script_us + kHourUs;
  script_us = 0;
  REQUIRE(FreeDescriptor() == before);
}

}  // namespace ohws::fuzz
