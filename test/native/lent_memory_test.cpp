// Lent memory through real sockets.
#include "wire/lent_memory.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "check.h"

namespace ohws {
namespace {

struct SocketPair {
  SocketPair() { CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0); }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;
  ~SocketPair() {
    for (const int end : ends) close(end);
  }
  std::string ReadAll() const {
    std::string all;
    std::array<char, 4096> some;
    for (ssize_t got = 0; (got = read(ends[1], some.data(), some.size())) > 0;) {
      all.append(some.data(), static_cast<size_t>(got));
    }
    return all;
  }
  std::array<int, 2> ends{};
};

std::vector<uint8_t> Numbered(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 31 + i / 256);
  return bytes;
}

TEST(what_is_sent_is_what_was_copied) {
  std::vector<uint8_t> bytes = Numbered(20'000);
  const std::string expected(bytes.begin(), bytes.end());
  const auto lent = LentMemory::Copy(bytes);
  CHECK(lent != nullptr);
  if (lent == nullptr) return;
  std::ranges::fill(bytes, uint8_t{0});
  const SocketPair pair;
  CHECK_EQ(lent->SendTo(pair.ends[0], 0, 20'000), ptrdiff_t{20'000});
  CHECK(pair.ReadAll() == expected);
  CHECK_EQ(lent->SendTo(pair.ends[0], 4'999, 10'002), ptrdiff_t{10'002});
  CHECK(pair.ReadAll() == expected.substr(4'999, 10'002));
}

TEST(what_was_sent_outlives_its_owner) {
  const std::vector<uint8_t> bytes = Numbered(9'000);
  const SocketPair pair;
  {
    const auto lent = LentMemory::Copy(bytes);
    CHECK_EQ(lent->SendTo(pair.ends[0], 0, bytes.size()), ptrdiff_t{9'000});
  }
  const auto other = LentMemory::Copy(std::vector<uint8_t>(9'000, uint8_t{1}));
  CHECK(pair.ReadAll() == std::string(bytes.begin(), bytes.end()));
}

TEST(a_socket_that_is_full_takes_a_part_and_then_nothing) {
  const std::vector<uint8_t> bytes = Numbered(4'000'000);
  const auto lent = LentMemory::Copy(bytes);
  const SocketPair pair;
  std::string all;
  bool was_full = false;
  while (all.size() < bytes.size()) {
    const ptrdiff_t taken = lent->SendTo(pair.ends[0], all.size(), bytes.size() - all.size());
    if (taken >= 0) {
      const std::string got = pair.ReadAll();
      CHECK_EQ(got.size(), static_cast<size_t>(taken));
      all += got;
      continue;
    }
    was_full = true;
    break;
  }
  CHECK(!was_full);
  CHECK(all == std::string(bytes.begin(), bytes.end()));
  while (lent->SendTo(pair.ends[0], 0, bytes.size()) > 0) {
  }
  CHECK(errno == EAGAIN);
}

TEST(there_are_never_many_files) {
  std::vector<std::shared_ptr<const LentMemory>> held;
  const std::vector<uint8_t> bytes = Numbered(10);
  while (held.size() < 1000) {
    auto lent = LentMemory::Copy(bytes);
    if (lent == nullptr) break;
    held.push_back(std::move(lent));
  }
  CHECK_EQ(held.size(), size_t{64});
  held.pop_back();
  CHECK(LentMemory::Copy(bytes) != nullptr);
}

}  // namespace
}  // namespace ohws
