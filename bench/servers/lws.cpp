// Echo server on libwebsockets alone, in the way of its own examples: its poll loop, its frames, one
// message queue a connection. What the library itself allows in C on this machine. Talks to the
// benchmark as control.mjs does; with --tls=FOLDER it serves wss.

#include <libwebsockets.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "stats.h"

namespace {

constexpr size_t kReceiveBytes = 64 * 1024;

// A message that waits, or is still coming in, behind the room that lws_write() wants.
struct Message {
  std::vector<unsigned char> bytes = std::vector<unsigned char>(LWS_PRE);
  bool binary = false;
  bool whole = false;
};

struct Peer {
  std::vector<Message> messages;
  size_t first = 0;
};

bool finished = false;

int OnCommand(lws* wsi) {
  std::array<char, 256> text;
  const ssize_t size = read(lws_get_socket_fd(wsi), text.data(), text.size());
  if (size <= 0) {
    finished = true;
    return -1;
  }
  for (ssize_t i = 0; i < size; ++i) {
    if (text[static_cast<size_t>(i)] == '\n') ohws::bench::PrintStats();  // there is but one command
  }
  return 0;
}

int OnEvent(lws* wsi, lws_callback_reasons reason, void* user, void* in, size_t size) {
  auto* peer = static_cast<Peer*>(user);
  switch (reason) {
    case LWS_CALLBACK_RAW_RX_FILE:
      return OnCommand(wsi);
    case LWS_CALLBACK_ESTABLISHED:
      new (peer) Peer();
      return 0;
    case LWS_CALLBACK_CLOSED:
      peer->~Peer();
      return 0;
    case LWS_CALLBACK_RECEIVE: {
      if (peer->messages.empty() || peer->messages.back().whole) peer->messages.emplace_back();
      Message& message = peer->messages.back();
      const auto* bytes = static_cast<const unsigned char*>(in);
      message.bytes.insert(message.bytes.end(), bytes, bytes + size);
      message.binary = lws_frame_is_binary(wsi) != 0;
      message.whole = lws_is_final_fragment(wsi) != 0 && lws_remaining_packet_payload(wsi) == 0;
      if (message.whole) lws_callback_on_writable(wsi);
      return 0;
    }
    case LWS_CALLBACK_SERVER_WRITEABLE:
      while (peer->first < peer->messages.size() && peer->messages[peer->first].whole) {
        Message& message = peer->messages[peer->first++];
        if (lws_write(wsi, message.bytes.data() + LWS_PRE, message.bytes.size() - LWS_PRE,
                      message.binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT) < 0) {
          return -1;
        }
        message.bytes.clear();
        if (lws_send_pipe_choked(wsi)) {
          lws_callback_on_writable(wsi);
          return 0;
        }
      }
      peer->messages.erase(peer->messages.begin(),
                           peer->messages.begin() + static_cast<ptrdiff_t>(peer->first));
      peer->first = 0;
      return 0;
    default:
      return 0;
  }
}

}  // namespace

int main(int count, char** arguments) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  lws_set_log_level(LLL_ERR, nullptr);

  lws_protocols protocols[] = {{"bench", OnEvent, sizeof(Peer), kReceiveBytes, 0, nullptr, 0},
                               LWS_PROTOCOL_LIST_TERM};
  lws_context_creation_info info{};
  info.port = 0;
  info.iface = "127.0.0.1";
  info.protocols = protocols;
  info.vhost_name = "bench";
  info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
  info.pt_serv_buf_size = 256 * 1024;
  std::string certificate;
  std::string key;
  constexpr std::string_view kTls = "--tls=";
  if (count > 1 && std::string_view(arguments[1]).starts_with(kTls)) {
    certificate = std::string(arguments[1] + kTls.size()) + "/cert.pem";
    key = std::string(arguments[1] + kTls.size()) + "/key.pem";
    info.ssl_cert_filepath = certificate.c_str();
    info.ssl_private_key_filepath = key.c_str();
    info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
  }
  lws_context* context = lws_create_context(&info);
  lws_vhost* vhost = context == nullptr ? nullptr : lws_create_vhost(context, &info);
  if (vhost == nullptr) return 1;
  lws_sock_file_fd_type commands{};
  commands.filefd = STDIN_FILENO;
  if (lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, commands, "bench", nullptr) == nullptr) {
    return 1;
  }
  std::printf("{\"port\":%d}\n", lws_get_vhost_listen_port(vhost));
  std::fflush(stdout);
  while (!finished && lws_service(context, 0) >= 0) {
  }
  lws_context_destroy(context);
  return 0;
}
