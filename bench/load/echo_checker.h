// Checks what a server sends on one connection: every frame, every byte, in order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "payload.h"

namespace ohws::bench {

class EchoChecker {
 public:
  // On connection `index`, the messages that `sender` sends are due.
  EchoChecker(const Payload& payload, uint32_t sender, uint32_t index)
      : payload_(&payload), sender_(sender), index_(index) {}

  // Takes the next bytes of the stream, in pieces of any size. Throws Failure at the first byte
  // that is not what was sent. Messages in several frames and control frames are fine.
  void Take(std::string_view bytes);

  // Messages complete and found equal.
  uint64_t messages() const { return messages_; }

  // The payloads of pings, each with its length byte before it, since the last call.
  std::string TakePings();

  bool closed() const { return closed_; }

 private:
  const char* TakeWholeFrames(const char* at, const char* end);
  const char* TakeHeaderByte(const char* at);
  void OnHeader();
  void OnFrameEnd();
  void CheckPiece(std::string_view piece);
  [[noreturn]] void Fail(const std::string& what) const;

  const Payload* payload_;
  uint32_t sender_;
  uint32_t index_;           // for what is said
  bool in_message_ = false;  // between a message's first frame and the end of its last
  bool in_frame_ = false;    // behind a frame's header, before the end of its payload
  bool closed_ = false;
  uint8_t opcode_ = 0;
  bool fin_ = false;
  uint8_t header_have_ = 0;
  std::array<uint8_t, 10> header_{};
  uint64_t frame_left_ = 0;
  uint64_t message_position_ = 0;
  uint64_t messages_ = 0;
  std::string control_;
  std::string pings_;
};

}  // namespace ohws::bench
