#include "engine/lws_protocol.h"

#include <climits>
#include <string_view>

#include "engine/client_attempt.h"
#include "engine/connection.h"
#include "engine/core.h"
#include "engine/server_listener.h"
#include "engine/tls.h"
#include "engine/tls_socket.h"

namespace ohws {

namespace {

// What our patches add to lws's reasons: established-bytes, proxy-connect, upgrade-answer,
// head-limits, request-head.
constexpr int kEarlyBytes = LWS_CALLBACK_USER + 1;
constexpr int kWriteProxyRequest = LWS_CALLBACK_USER + 5;
constexpr int kReadProxyAnswer = LWS_CALLBACK_USER + 6;
constexpr int kUpgradeAnswer = LWS_CALLBACK_USER + 9;
constexpr int kHeadBytes = LWS_CALLBACK_USER + 10;
constexpr int kRequestHead = LWS_CALLBACK_USER + 11;
constexpr size_t kSmallestReadBuffer = 16;

Connection* ConnectionOf(lws* wsi) { return static_cast<Connection*>(lws_get_opaque_user_data(wsi)); }

ServerListener* ListenerOf(lws* wsi) {
  return static_cast<ServerListener*>(lws_get_vhost_user(lws_get_vhost(wsi)));
}

std::string_view Text(const void* in, size_t size) {
  return {static_cast<const char*>(in), in == nullptr ? 0 : size};
}

// What is never lws's to read, and an lws without our patches reads: frames, of which those that follow could
// not be told apart then, and what comes when a connection has left HTTP for no protocol (D5).
bool IsReadByLws(int reason) {
  return reason == LWS_CALLBACK_RECEIVE || reason == LWS_CALLBACK_CLIENT_RECEIVE ||
         reason == LWS_CALLBACK_RAW_ADOPT || reason == LWS_CALLBACK_RAW_RX;
}

int OnServer(lws* wsi, int reason, void* in, size_t size) {
  switch (reason) {
    case kHeadBytes:
      return ListenerOf(wsi)->OnHeadBytes(wsi, Text(in, size));
    case kRequestHead:
      return ListenerOf(wsi)->OnRequestBytes(wsi, *static_cast<lws_tokens*>(in));
    // The listener may be gone already.
    case LWS_CALLBACK_WSI_DESTROY:
      static_cast<Core*>(lws_context_user(lws_get_context(wsi)))->handshakes().End(wsi);
      return 0;
    case LWS_CALLBACK_RAW_RX_FILE:
      ListenerOf(wsi)->OnListenerReadable(wsi);
      return 0;
    case LWS_CALLBACK_RAW_CLOSE_FILE:
      ListenerOf(wsi)->OnListenerClosed(wsi);
      return 0;
    case LWS_CALLBACK_HTTP:
      return ListenerOf(wsi)->OnPlainRequest(wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
      return ListenerOf(wsi)->OnUpgradeRequest(wsi);
    case LWS_CALLBACK_ADD_HEADERS:
      return ListenerOf(wsi)->AddAnswerHeaders(wsi, *static_cast<lws_process_html_args*>(in)) ? 0 : -1;
    case LWS_CALLBACK_ESTABLISHED:
      ListenerOf(wsi)->OnEstablished(wsi);
      return 0;
    default:
      return 0;
  }
}

int OnClientAttempt(Connection& connection, ClientAttempt& attempt, lws* wsi, int reason, void* in,
                    size_t size) {
  switch (reason) {
    case LWS_CALLBACK_WSI_CREATE:
      attempt.OnTcpConnected();
      return 0;
    case kWriteProxyRequest:
      return static_cast<int>(attempt.WriteProxyRequest(static_cast<char*>(in), size));
    case kReadProxyAnswer:
      return attempt.ReadProxyAnswer(connection, SocketOf(wsi));
    case kHeadBytes:
      return attempt.OnHeadBytes(Text(in, size));
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
      return attempt.AppendHeaders(static_cast<char**>(in), size) ? 0 : -1;
    case kUpgradeAnswer:
      return attempt.JudgeAnswer(wsi, Text(in, size));
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
      attempt.ReadAnswer(wsi);
      return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
      attempt.PostOpened(connection.id());
      connection.UseDeflate(attempt.TakeDeflate());
      connection.OnEstablished();
      return 0;
    case LWS_CALLBACK_SSL_INFO:
      NoteAlert(attempt, *static_cast<const lws_ssl_info*>(in));
      return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      attempt.OnFailed(connection, wsi, Text(in, size));
      return 0;
    case LWS_CALLBACK_WSI_DESTROY:
      attempt.OnWsiDestroyed(connection);
      return 0;
    default:
      return 0;
  }
}

int OnConnection(Connection& connection, int reason, void* in, size_t size) {
  switch (reason) {
    case kEarlyBytes:
      connection.OnEarlyBytes({static_cast<uint8_t*>(in), size});
      return 1;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
      connection.OnTcpClosed();
      return 0;
    default:
      return 0;
  }
}

int Callback(lws* wsi, lws_callback_reasons reason, void* user, void* in, size_t size) {
  if (reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION) {
    Connection* connection = ConnectionOf(wsi);
    return connection == nullptr || connection->attempt() == nullptr
               ? 1
               : JudgeServerCertificate(*connection->attempt(), static_cast<x509_store_ctx_st*>(user),
                                        size != 0);
  }
  if (wsi == nullptr || lws_get_vhost(wsi) == nullptr) return 0;
  if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS) {
    AddSystemStore(lws_get_vhost(wsi), static_cast<ssl_ctx_st*>(user));
    TlsSocket::LimitIdleWords(static_cast<ssl_ctx_st*>(user));
    return 0;
  }
  if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
    ListenerOf(wsi)->OnTlsContext(static_cast<ssl_ctx_st*>(user));
    return 0;
  }
  if (IsReadByLws(reason)) return -1;
  Connection* connection = ConnectionOf(wsi);
  if (connection == nullptr)
    return lws_get_vhost_user(lws_get_vhost(wsi)) == nullptr ? 0 : OnServer(wsi, reason, in, size);
  // An address that was given up may still be on its way out.
  if (connection->wsi() != wsi) return 0;
  if (connection->attempt() != nullptr) {
    return OnClientAttempt(*connection, *connection->attempt(), wsi, reason, in, size);
  }
  return OnConnection(*connection, reason, in, size);
}

}  // namespace

const lws_protocols* Protocols() {
  static const lws_protocols kProtocols[] = {
      // The empty name: lws announces no subprotocol of its own. It receives no frames, so its buffer for
      // them is as
      // small as can be. What it writes, handshakes, is cut nowhere but by the kernel.
      {"", Callback, 0, kSmallestReadBuffer, 0, nullptr, 1U << 30},
      {nullptr, nullptr, 0, 0, 0, nullptr, 0},
  };
  return kProtocols;
}

}  // namespace ohws
