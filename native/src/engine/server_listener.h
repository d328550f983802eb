// One started server: its listening sockets, its vhost, who may come in, and its connections until they have
// ended. lws watches the sockets for us as descriptors of no protocol and gets what was accepted. Engine
// thread.
#pragma once

#include <libwebsockets.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/listening_socket.h"
#include "engine/proxy_prelude.h"
#include "engine/server_config.h"
#include "engine/server_counters.h"
#include "engine/server_tls.h"
#include "engine/shared_admission.h"
#include "engine/up_writer.h"
#include "engine/upgrade_requests.h"
#include "protocol/admission.h"
#include "protocol/deflate_codec.h"
#include "protocol/handshake.h"
#include "protocol/heartbeat.h"
#include "protocol/http_head.h"
#include "protocol/ip_network.h"
#include "protocol/limits.h"
#include "protocol/timing_wheel.h"

namespace ohws {

class Core;
class Connection;

class ServerListener {
 public:
  ServerListener(Core& core, uint32_t id, ServerConfig config);
  ServerListener(const ServerListener&) = delete;
  ServerListener& operator=(const ServerListener&) = delete;
  ~ServerListener();

  // Listens and says so, or says why not. False: it is over then.
  bool Start();
  // Of a listener that holds: whoever has come is accepted from now on.
  void Accept();
  // Accepts no more and closes every connection; kStopped follows the last one.
  void Stop(uint16_t code, std::string_view reason);
  // The same, but whoever comes is told that we go, and connections have so long to take what waits for them
  // and to end; then they are cut.
  void Drain(uint32_t limit_ms, uint16_t code, std::string_view reason);
  // Reads the certificates of these options, and says so, or why it cannot.
  void PrepareCertificates(std::string_view strings);
  // Takes them for whoever comes from now on, or forgets them, and says so.
  void TakeCertificates(bool take);
  // lws has made OpenSSL's context of the vhost.
  void OnTlsContext(ssl_ctx_st* context) { tls_.Attach(context); }
  // When connections are cut; 0 unless it drains.
  uint64_t drained_at_ms() const { return drained_at_ms_; }

  // What JavaScript says to a kUpgradeRequest; see UpgradeRequests.
  void AnswerUpgrade(uint32_t request, uint16_t http_status, std::string_view strings);
  // Its client has ended TCP while JavaScript decides.
  void OnAskingClientGone(lws* wsi);
  // Which control frames of its connections JavaScript wants to hear of: kWatchPings, kWatchPongs.
  void Watch(uint32_t what) { watched_ = what; }
  bool watches(uint8_t what) const { return (watched_ & what) != 0; }

  // Before the context that knows their sockets goes away.
  void CancelTimers();

  uint32_t id() const { return id_; }
  const std::shared_ptr<const EndpointLimits>& limits() const { return config_.limits; }

  // What an accepted socket of a trusted proxy has begun with; destroys the prelude.
  void OnPrelude(const ProxyPrelude& prelude, ProxyPrelude::End end);

  // From lws.
  void OnListenerReadable(lws* wsi);
  // The listening descriptor has left lws.
  void OnListenerClosed(lws* wsi);
  // What has come of a request. The return value is for our patch request-head: how many bytes were taken,
  // `bytes` then being what lws shall parse in their place; 0: as it is; -1: answered, to be ended.
  int OnRequestBytes(lws* wsi, lws_tokens& bytes);
  // An upgrade request. 0 lets it in, -1 ends the connection (answered, if it can be).
  int OnUpgradeRequest(lws* wsi);
  // A request that is no upgrade: answered with 426, then the end.
  int OnPlainRequest(lws* wsi);
  // The chosen subprotocol and extension go into the answer here. False if there is no room.
  bool AddAnswerHeaders(lws* wsi, lws_process_html_args& answer);
  void OnEstablished(lws* wsi);

  ServerCounters& counters() { return counters_; }
  // Posts a snapshot.
  void AnswerStats() const;

  // The outcome of one of our connections is known: it counts for the limits no more.
  void OnOutcome(const Connection& connection);
  // Accepted connections that have not been upgraded: one less, one that takes too long.
  void OnHandshakeOver(lws* wsi);
  void OnHandshakeTimeout(lws* wsi);
  // Bytes of a request head that lws is going to parse: 0, or -1 if there are too many of them.
  int OnHeadBytes(lws* wsi, std::string_view bytes);
  // Its deadline has come before its end.
  void OnCut() { ++cut_; }
  // Its socket takes no more for now, or does again.
  void OnBlocked(Connection& connection, bool blocked);
  // Its TCP connection has ended as well.
  void OnGone(Connection& connection);

 private:
  enum class State : uint8_t {
    kIdle,
    kListening,
    kDraining,  // nobody new, and who comes is told so
    kStopping,  // no listening socket any more
    kEnding,    // no connection either: those in handshake are ended, as many in a turn as there is time for
    kStopped,
  };

  struct ListenerTimer final : Timer {
    ListenerTimer(ServerListener& owner, void (ServerListener::*then)()) : listener(owner), on_due(then) {}
    void OnDue(uint64_t /*now_ms*/) override { (listener.*on_due)(); }
    ServerListener& listener;
    void (ServerListener::*const on_due)();
  };

  struct Listening {
    ListeningSocket socket;
    lws* wsi;  // has its descriptor, once it is watched
  };

  bool Listen(const ListenAddress& address, Failure& failure);
  bool MakeVhost(Failure& failure);
  bool Watch(Failure& failure);
  void StopListening();
  static void Unwatch(lws* wsi);
  // False: there was none.
  bool AcceptNext(lws* wsi);
  void LeaveToOthers();
  void CloseAll(uint16_t code, std::string_view reason);
  int RefuseToKeep(lws* wsi);
  int RefuseToDrain(lws* wsi);
  int LetInAsNetstack(lws* wsi);
  // Whom it does not let in as netstack, for a reason: counted, and ended. -1, as lws wants it.
  int Drop(RefusalReason reason);
  // The same with the answer to a request that is none by the rules.
  int RefuseRequest(lws* wsi, UpgradeRefusal refusal);
  bool IsOriginAllowed(std::string_view origin) const;
  // Everything that is decided here about a request that is right by itself. 0 or -1, as lws wants it.
  int Judge(lws* wsi, std::string_view origin, std::string_view extensions);
  bool IsTrustedProxy(std::string_view ip) const;
  // The address that counts for the limits: the client's, behind trusted proxies.
  std::string ClientIp(lws* wsi) const;
  // Reads from a head whom the proxy speaks for.
  void NoteForwarded(lws* wsi, const HttpHead& head);
  // Gives an accepted socket to lws.
  void BeginHandshake(int fd, Peer peer, std::string client);
  // An accepted connection counts from EnterHandshake() on; false if there are too many.
  bool EnterHandshake();
  void LeaveHandshake();
  void GiveHeadToLws(const HttpHead& head, lws_tokens& bytes);
  // Asks JavaScript, and holds the connection until it has answered.
  int AskAbout(lws* wsi, const HttpHead& head, lws_tokens& bytes, size_t used);
  std::string DetailsOf(lws* wsi, std::string_view ip, std::string_view counted, uint32_t request) const;
  // The client's, if it was asked for and verified, in PEM.
  std::string VerifiedCertificate(lws* wsi) const;
  // Connections that are held, or were let in a moment ago, are answered in JavaScript's place, as many in a
  // turn as there is time for: we go.
  void GiveUpRequests();
  // One of them, -1 as lws wants it.
  int GiveUp(lws* wsi);
  // Answers and ends it, outside of a callback of lws.
  void AnswerAndCut(lws* wsi, std::string answer);
  // JavaScript's request is over, without an answer of its; the connection is lws's again. False: it was
  // none.
  bool EndRequest(lws* wsi);
  bool ForgetRequest(lws* wsi);
  // It counts for the limits no more, if it did.
  void StopCounting(lws* wsi);
  // Answers with this status and tells JavaScript. -1, as lws wants it.
  int Refuse(lws* wsi, std::string_view ip, int http_status, std::string_view reason);
  void ReportRefusal(std::string_view ip, int http_status, std::string_view reason);
  std::string AgreeOnDeflate(lws* wsi);
  // More connections are in handshake than may be.
  void RefuseAtAccept(int fd, std::string_view ip);
  bool drains() const { return drained_at_ms_ != 0; }
  // Its connections are gone. What is left of those in handshake goes with the vhost.
  void EndHandshakes();
  void FinishStop();

  Core& core_;
  const uint32_t id_;
  const ServerConfig config_;
  const std::string vhost_name_;
  ServerTls tls_;
  const std::shared_ptr<SharedAdmission> admission_;
  State state_ = State::kIdle;
  uint32_t watched_ = 0;
  std::vector<Listening> listening_;
  lws_vhost* vhost_ = nullptr;
  uint16_t free_port_ = 0;
  std::vector<Connection*> connections_;    // established, and not gone; each knows its place
  std::unique_ptr<DeflateSession> agreed_;  // of the handshake whose answer was written last
  std::string agreed_subprotocol_;          // of the same
  UpgradeRequests requests_;
  std::unordered_map<const ProxyPrelude*, std::unique_ptr<ProxyPrelude>> preludes_;
  size_t handshakes_ = 0;  // accepted, not upgraded; of this listener
  uint64_t drain_begun_ms_ = 0;
  uint64_t drained_at_ms_ = 0;
  size_t to_drain_ = 0;  // connections when that began
  size_t cut_ = 0;       // and those that have missed the end
  size_t turned_away_ = 0;
  ListenerTimer accept_again_{*this, &ServerListener::Accept};        // after the descriptors ran out (D7)
  ListenerTimer handshakes_due_{*this, &ServerListener::FinishStop};  // kEnding; comes behind all of theirs
  std::string head_for_lws_;                                          // while lws parses it
  ServerCounters counters_;
  size_t open_ = 0;                                // connections whose outcome is not known
  std::unordered_set<const Connection*> blocked_;  // whose sockets take no more now
};

}  // namespace ohws
