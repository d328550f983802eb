// The script: each step is JavaScript's, a peer's or the clock's. It is made to look like a poller: the
// engine asks for events, and when there are none, the next step is made.
#pragma once

#include <sys/resource.h>

#include <atomic>
#include <memory>

#include "engine/core.h"
#include "engine/poller.h"
#include "script/javascript.h"
#include "script/peers.h"

namespace ohws::fuzz {

class Script final : public Poller {
 public:
  Script(Input& input, PayloadTable& up_payloads, PayloadTable& down_payloads, std::atomic<bool>& stop);
  ~Script() override;

  RingMemory up() { return javascript_.up(); }
  RingMemory down() { return javascript_.down(); }

  void Watch(int fd, uint32_t generation, Mode mode, bool read, bool write) override;
  void Forget(int fd, bool closing) override { events_->Forget(fd, closing); }
  void Rearm(int fd, bool read, bool write) override { events_->Rearm(fd, read, write); }
  void Wake() override {}
  size_t Wait(std::span<Event> events, int timeout_ms) override;

  // The turns were stopped for this, or have come to their end.
  void SendAtOnce(Core& core);
  bool finished() const { return finished_; }

 private:
  static constexpr size_t kMostSteps = 400;

  void Step();
  void StepOfJavaScript(uint8_t kind, uint8_t choice);
  void SendAgain(uint32_t id, bool anew);
  void Publish(uint8_t choice, bool large);
  void StepOfPeer(Peer& peer, uint8_t kind, uint8_t choice);
  std::string Filler();
  // No descriptor can be had from now on, or again.
  void RunOutOfDescriptors(bool out);
  // JavaScript closes everything and reads all; the peers read, say nothing more, and time goes by.
  void Finish();

  Input& input_;
  std::atomic<bool>& stop_;
  const Options options_;
  const std::unique_ptr<Poller> events_;
  JavaScript javascript_;
  Peers peers_;
  size_t steps_ = 0;
  size_t idle_ = 0;    // looks for events in a row that brought none, and no step
  size_t rounds_ = 0;  // of the end
  bool together_ = false;
  bool hurries_ = false;
  bool finished_ = false;
  bool keeps_text_ = false;  // the engine does, for kSameText
  uint32_t at_once_id_ = 0;  // of the connection that a message is for, from outside of a turn
  std::string at_once_;
  bool under_way_ = false;  // something may be on its way from a peer
  rlimit descriptors_{};
};

}  // namespace ohws::fuzz
