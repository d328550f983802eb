// What JavaScript's thread reads at a time: a batch, and the rest of what has come in further ones.
#include <poll.h>

#include "engine_here.h"

namespace {

int asked = 0;  // how often the system was asked what has come

}  // namespace

// The linker sends calls of poll() here (--wrap).
extern "C" {
int __real_poll(pollfd* descriptors, nfds_t count, int timeout_ms);
int __wrap_poll(pollfd* descriptors, nfds_t count, int timeout_ms);
int __wrap_poll(pollfd* descriptors, nfds_t count, int timeout_ms) {
  ++asked;
  return __real_poll(descriptors, count, timeout_ms);
}
}

namespace ohws::check {
namespace {

constexpr size_t kClients = 8;
constexpr size_t kMessages = 60;
constexpr size_t kSize = 500;
constexpr uint32_t kBatch = 64 * 1024;
// A batch ends behind the read that makes it full.
constexpr uint32_t kMostOfOneRead = kMessages * (kSize + 64);

std::string Messages() {
  std::string bytes;
  for (size_t i = 0; i < kMessages; ++i) {
    bytes.append("\x81\xfe\x01\xf4\0\0\0\0", 8).append(kSize, 'x');
  }
  return bytes;
}

TEST(what_has_come_is_read_batch_by_batch) {
  EngineHere engine;
  const uint16_t port = engine.Listen({});
  std::vector<Client> clients;
  while (clients.size() < kClients) clients.emplace_back(port).Send(kUpgrade);
  engine.TurnsUntil(UpKind::kAccepted, kClients);
  engine.Turn();
  for (const Client& client : clients) client.Send(Messages());

  Core& core = engine.core();
  asked = 0;
  core.Receive(1000, kBatch);
  size_t messages = 0;
  size_t batches = 0;
  do {
    size_t bytes = 0;
    for (const auto& record : engine.Look()) {
      CHECK_EQ(record.payload.size(), kSize);
      bytes += RecordBytes(kSize);
      ++messages;
    }
    CHECK(bytes < kBatch + kMostOfOneRead);
    ++batches;
    core.Read(kBatch);
  } while (core.has_unread());
  messages += engine.Look().size();
  CHECK(batches > 1);
  CHECK_EQ(messages, kClients * kMessages);
  CHECK_EQ(asked, 1);
}

}  // namespace
}  // namespace ohws::check
