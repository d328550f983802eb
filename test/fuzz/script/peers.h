// All peers of a script: where the engine's clients connect to, and who connects to its server.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "engine/tls.h"
#include "script/endpoints.h"
#include "script/peer.h"

namespace ohws::fuzz {

class Peers {
 public:
  explicit Peers(const Options& options);

  static PeerPorts Ports();

  // A new one for the server; `choice` is where from and how.
  void Dial(uint16_t port, uint8_t choice);
  // So many at once that what is published to all of them is lent to the kernel; all say this.
  void DialCrowd(uint16_t port, std::string_view request);
  // Those that clients have connected to; and everybody goes on.
  void AcceptAndGoOn();
  // Null if there is none.
  Peer* Some(uint8_t choice) const { return all_.empty() ? nullptr : all_[choice % all_.size()].get(); }
  void ReadAll() const;

 private:
  static constexpr size_t kMost = 8;
  static constexpr size_t kCrowd = 40;

  // Null if there can be none.
  Peer* Add(uint16_t port, uint8_t choice);

  const Options& options_;
  SslContext server_tls_;
  SslContext client_tls_;
  std::vector<std::unique_ptr<Peer>> all_;
};

}  // namespace ohws::fuzz
