// JavaScript's side of the two rings: says what lib/engine.ts would say and checks that what comes up keeps
// the order and the promises that are written in wire/record.h.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "script/endpoints.h"
#include "wire/payload_table.h"
#include "wire/ring.h"

namespace ohws::fuzz {

class JavaScript {
 public:
  // As small as the engine's reads allow, so that a script can fill one.
  static constexpr uint32_t kRingBytes = kRingHeadBytes + 512 * 1024;

  JavaScript(const Options& options, PayloadTable& up_payloads, PayloadTable& down_payloads);

  RingMemory up() { return {reinterpret_cast<uint8_t*>(up_memory_.data()), kRingBytes}; }
  RingMemory down() { return {reinterpret_cast<uint8_t*>(down_memory_.data()), kRingBytes}; }

  // False, and nothing is said, if the ring is full.
  bool Say(DownKind kind, uint32_t id, std::string_view payload = {}, uint16_t aux = 0, uint32_t arg = 0);
  void SayLarge(DownKind kind, uint32_t id, const std::string& text, std::string_view payload = {});
  size_t max_payload() const { return down_.max_payload(); }

  void Listen();
  void Connect(std::string_view strings);
  // To the listener, if there is one.
  void Tell(DownKind kind, std::string_view payload = {}, uint16_t aux = 0, uint32_t arg = 0);
  // Reads new certificates; once they are read, takes or drops them.
  void Reload(uint8_t choice);
  // Lets one of the requests in that wait for it, or not.
  void AnswerUpgrade(uint8_t choice);
  void Watch(uint8_t what);

  // One of the connections that JavaScript knows and has not heard the end of; 0 if there is none.
  uint32_t SomeId(uint8_t choice) const;
  // Of the listener; 0 if there is none.
  uint16_t port() const { return port_; }

  void Read(size_t most);
  // Ends what has not ended.
  void CloseAll();
  bool AllGone() const;

 private:
  // What an id may still say.
  enum class Life : uint8_t { kAsked, kStarted, kOpen, kOver, kGone };
  // Of the listener's certificates.
  enum class Reloading : uint8_t { kNo, kAsked, kRead, kEnding };

  bool listens() const { return listener_ != 0 && lives_.at(listener_) == Life::kOpen; }
  void OnUp(const RecordHeader& header, std::string_view payload);
  void OnAccepted(const RecordHeader& header, std::string_view payload);
  void OnListener(UpKind kind, const RecordHeader& header, std::string_view payload, Life& life);
  void OnConnection(UpKind kind, const RecordHeader& header, std::string_view payload, Life& life);
  void OnMessage(UpKind kind, const RecordHeader& header, std::string_view payload);
  std::string_view Lent(const RecordHeader& header, std::string_view payload);

  const Options& options_;
  PayloadTable& up_payloads_;
  PayloadTable& down_payloads_;
  std::vector<uint64_t> up_memory_;
  std::vector<uint64_t> down_memory_;
  RingConsumer up_;
  RingProducer down_;
  uint32_t next_id_ = 1;
  uint32_t listener_ = 0;
  uint16_t port_ = 0;
  bool watches_ = false;  // has ever
  Reloading reloading_ = Reloading::kNo;
  std::map<uint32_t, Life> lives_;
  std::set<uint32_t> requests_;  // that wait for a word
  Payload block_;                // what was lent last is of this one
  uint32_t lent_read_ = 0;
};

}  // namespace ohws::fuzz
