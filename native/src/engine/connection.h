// One WebSocket connection of either role, from the moment lws has established it (a client's: from the
// request on) to the end of its TCP connection: what it has to write, the message it is receiving, its
// heartbeat, its close handshake. Engine thread.
//
// The outcome of a connection is reported to JavaScript exactly once, as soon as it is known; what then is
// left to do on the wire (flush, answer the peer's close frame, wait for the end of TCP) goes on without
// anybody waiting for it, bounded by the close time-out of the endpoint without progress.
#pragma once

#include <libwebsockets.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/loop.h"
#include "engine/rate_gate.h"
#include "engine/server_counters.h"
#include "engine/stream.h"
#include "engine/tx_queue.h"
#include "engine/up_writer.h"
#include "protocol/close_code.h"
#include "protocol/deflate_codec.h"
#include "protocol/frame_reader.h"
#include "protocol/heartbeat.h"
#include "protocol/limits.h"
#include "protocol/message_assembler.h"
#include "protocol/shared_messages.h"
#include "protocol/timing_wheel.h"
#include "protocol/topic_table.h"

namespace ohws {

class Core;
class ClientAttempt;
class ServerListener;

class Connection final : public SocketHandler, public TopicTable::Subscriber, private Timer {
 public:
  enum class State : uint8_t {
    kConnecting,    // client: no answer to the upgrade yet; frames gather
    kOpen,          //
    kLocalClosing,  // our close frame is queued or sent; a client's outcome comes with the peer's answer
    kLastWord,      // the outcome is reported; what JavaScript sends before it hears of it still leaves
    kFinishing,     // the outcome is reported; flushing our last frames, then the TCP connection ends
    kFailing,       // the same, but the peer is at fault and may still be sending
    kDraining,      // all is sent; waiting for the peer to end the TCP connection
    kGone,          // no TCP connection any more
  };
  // After the close handshake a client leaves it to the server to end TCP (RFC 6455 §7.1.1), but not for
  // longer.
  static constexpr uint64_t kTcpEndTimeoutMs = 1000;
  // A large frame is received in steps of so much, so that others have their turn.
  static constexpr size_t kMaxReadInPlaceBytes = 256 * 1024;
  // Where messages may be compressed, what was read is looked at in steps of so much, until so much has been
  // inflated: a step may become a thousand times of what it is.
  static constexpr size_t kDeflatedStepBytes = 4 * 1024;
  static constexpr uint64_t kInflatedBytesOfRead = 1024 * 1024;

  // A client that is going to connect.
  Connection(Core& core, uint32_t id, std::unique_ptr<ClientAttempt> attempt, CloseRules rules);
  // An accepted connection.
  Connection(Core& core, uint32_t id, lws* wsi, ServerListener& listener, std::string ip, CloseRules rules);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // From JavaScript.
  // `payload` lies in the down ring, with room for a frame's header before it, and is valid until the next
  // Flush().
  void Send(Opcode opcode, uint8_t* payload, size_t size);
  void SendLarge(Opcode opcode, Payload payload);
  // The same for somebody else's memory: the socket takes what it does, the rest is copied. False, and
  // nothing was done, if all of it would be.
  bool SendNow(Opcode opcode, std::span<const uint8_t> payload);
  // What others get too.
  void SendShared(SharedMessages& messages);
  // What was published to a topic of this one.
  void SendPublished(SharedMessages& messages);
  void Close(uint16_t code, uint16_t wire_code, std::string_view reason);
  // Drops what has not begun to leave, and fails with this code.
  void Abandon(uint16_t wire_code, std::string_view reason);
  void RequestDrained();
  // Reads no more, so that the peer's TCP window fills, or reads on. The heartbeat goes on and waits for no
  // pong; whatever ends the connection ends the pause. Does nothing unless open.
  void SetPaused(bool paused);
  void Ping(std::string_view payload);
  // Ends TCP at once and reports this.
  void Terminate(uint16_t code, std::string_view reason);
  // JavaScript has heard of the outcome; nothing follows from there.
  void OnReleased();

  // From lws.
  void OnEstablished();
  // What lws has read behind the handshake, before the socket became ours.
  void OnEarlyBytes(std::span<const uint8_t> bytes);
  void OnTcpClosed();

  // From the loop.
  void OnSocketEvent(bool readable, bool ended) override;

  // From the core, once a turn each: what has gathered leaves; and one buffer of what has come is read. True:
  // there is more to read.
  void Flush();
  bool Read(std::span<uint8_t> buffer);

  // From the client's attempt.
  void OnConnectFailed(uint16_t http_status, const Failure& failure);

  // From the client's attempt, for each address and again for an open tunnel: cut it if it is not established
  // in time.
  void LimitHandshake();

  // From the listener: it drains, which gives every connection the same deadline, a closing one too.
  void OnDrain();

  // Ends the TCP connection soon, outside of any callback of lws.
  void Cut();

  uint32_t id() const { return id_; }
  CloseRules rules() const { return rules_; }
  State state() const { return state_; }
  lws* wsi() const { return wsi_; }
  lws** wsi_slot() { return &wsi_; }
  const std::string& ip() const { return ip_; }
  // On the wire, of what the socket does not take now.
  size_t CountQueuedBytes() const { return tx_.CountBytes(); }
  ServerListener* listener() const { return listener_; }
  ClientAttempt* attempt() const { return attempt_.get(); }
  // Among those of its listener, which keeps this.
  size_t place = 0;

  // Its peer may send so much; before the connection is established.
  void UseRates(std::unique_ptr<RateGate> rates) { rates_ = std::move(rates); }
  // What the handshake has agreed on, before the connection is established; null for no compression.
  void UseDeflate(std::unique_ptr<DeflateSession> deflate);

 private:
  // What is reported when our close frame is answered, or will not be.
  struct LocalClose {
    uint16_t code;
    std::string reason;
    bool abnormal = false;  // netstack's server: a violation, which it has answered with a close frame
  };

  // How a connection ends whose outcome is known, behind the last that JavaScript sends.
  struct LastWord {
    std::string close_body;
    State next;
  };

  bool is_client() const { return listener_ == nullptr; }
  bool netstack() const { return rules_ == CloseRules::kNetstack; }
  bool outcome_known() const { return state_ >= State::kLastWord; }
  // Messages from JavaScript still leave.
  bool sending() const { return state_ <= State::kOpen || state_ == State::kLastWord; }
  // Null on a server, else the key for the next frame in `key`.
  const uint8_t* NextMaskKey(uint8_t key[kMaskKeyBytes]);
  // `published_bytes`: what it costs to let them wait, if nobody knows how much waits.
  void QueueShared(const SharedMessages& messages, const SharedFrames& frames, size_t published_bytes);
  // False if the message is to be sent as it is.
  bool SendCompressed(Opcode opcode, std::span<const uint8_t> message);
  // One write of what comes next: how many bytes were taken, or Stream::kBroken. `full`: the socket takes no
  // more now.
  ptrdiff_t WriteSome(bool& full);
  void WantFlush();
  void WantRead();
  void Block();
  void Unblock();
  void OnBytes(std::span<uint8_t> bytes);
  // The same as far as this turn may inflate; what is left.
  std::span<uint8_t> OnBytesInSteps(std::span<uint8_t> bytes);
  void OnData(FramePiece& piece);
  // The same by the rules of its rates; `rest` is what was read behind it. False: nothing of that is looked
  // at now.
  bool OnRatedData(FramePiece& piece, std::span<uint8_t> rest);
  void Gather(FramePiece& piece);
  // It may not read: what it has read already waits for its turn.
  bool delayed() const { return rates_ != nullptr && rates_->holding() && state_ == State::kOpen; }
  void GoOn();
  void GoOnSoon();
  // Puts a small message into the ring straight from where it was read. False: not one of those, or no room
  // now.
  bool DeliverInOneGo(const FramePiece& piece);
  // Lends JavaScript a message where it lies. False: not one of those.
  bool DeliverInPlace(FramePiece& piece);
  void Deliver();
  void OnControl(const FramePiece& frame);
  void OnPing(std::string_view payload);
  void OnCloseFrame(std::string_view payload);
  void OnPong(std::string_view payload);
  void OnViolation(Violation violation);
  // netstack's way with a violation: what lws would say in its close frame, or nothing.
  void FailAsNetstack(std::string_view words);
  // Fails the connection because of what the peer sent.
  void FailProtocol(uint16_t wire_code, std::string_view reason);
  // A ping or pong, before the messages that wait.
  void QueueControlFrame(Opcode opcode, std::string_view payload);
  void QueueCloseFrame(std::string_view body);
  // So many bytes have left.
  void CountLeaving(size_t bytes);
  void AnswerDrained();
  // After the outcome was reported: ends with this close frame, and then as `next` does.
  void EndWith(std::string_view close_body, State next);
  // Nothing comes behind what waits to be sent.
  bool SaysLast() const;
  void OnFlushed();
  // `peer` is what the peer's close frame said, if one came.
  void ReportClosed(uint16_t code, std::string_view reason, bool abnormal, const Failure& failure,
                    uint8_t flags = 0, const PeerClose* peer = nullptr);
  void ReportLocalClose(const PeerClose* peer = nullptr);
  // No TCP connection any more: nobody waits for anything here.
  void End();
  // From the core: the moment asked for has come.
  void OnDue(uint64_t now_ms) override;
  void SetDeadline(uint64_t at_ms);
  // Of a connection that is closing: so long without progress, or when its server has drained.
  void SetEndDeadline(uint64_t timeout_ms);
  // What an open connection waits for: the heartbeat, and the end of its patience with silence.
  void Arm();
  uint32_t RandomForHeartbeat();
  // True if it was ended.
  bool EndIfIdle(uint64_t now_ms);
  void OnMessageEitherWay();
  // It has not ended by itself.
  void CutInTime();

  Core& core_;
  Traffic& traffic_;
  const uint32_t id_;
  const CloseRules rules_;
  const std::shared_ptr<const EndpointLimits> limits_;
  State state_;
  // For each kDrained that is due: bytes that have to leave before it, from the one before on.
  std::vector<size_t> drains_;
  bool in_flush_list_ = false;  // of the core
  bool in_read_list_ = false;   // of the core: there is something to read
  bool blocked_ = false;        // the socket takes no more now
  bool peer_ended_ = false;     // its half ends behind what can be read
  bool paused_ = false;         // nothing is read
  lws* wsi_ = nullptr;
  ServerListener* const listener_ = nullptr;  // null for a client
  const std::string ip_;                      // of an accepted connection's peer
  Stream stream_;                             // once established
  TxQueue tx_;
  FrameReader reader_;
  MessageAssembler rx_;
  std::unique_ptr<RateGate> rates_;          // null without any
  std::unique_ptr<DeflateSession> deflate_;  // null without permessage-deflate
  std::unique_ptr<ClientAttempt> attempt_;   // until established
  std::unique_ptr<LocalClose> local_close_;
  std::unique_ptr<LastWord> last_word_;
  Heartbeat heartbeat_{limits_->heartbeat};
  uint64_t active_ms_ = 0;  // the last message, if anybody wants to know
};

}  // namespace ohws
