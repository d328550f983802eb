// OpenSSL's side, and what the socket takes. Engine thread.
#include "engine/tls_socket.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "engine/sockets.h"
#include "protocol/hello_meter.h"

namespace ohws {

namespace {

// What a record takes beside its bytes, and a word of OpenSSL's own that gets in between: any cipher suite.
constexpr size_t kRecordRoom = TlsSocket::kRecordBytes + 1024;

int IdleWordsIndex() {
  static const int kIndex = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return kIndex;
}

// A socket at its end, which is still there to be closed.
const BIO_METHOD* EndedSocket() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_TYPE_SOCKET, "ohws ended socket");
    if (made == nullptr) std::abort();  // as `new` does
    BIO_meth_set_read(made, [](BIO*, char*, int) { return 0; });
    BIO_meth_set_ctrl(made, [](BIO* bio, int what, long /*number*/, void* out) {
      const auto fd = static_cast<long>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
      if (what == BIO_CTRL_EOF) return 1L;
      if (what != BIO_C_GET_FD) return 0L;
      if (out != nullptr) *static_cast<int*>(out) = static_cast<int>(fd);
      return fd;
    });
    return made;
  }();
  return kMethod;
}

void EndInput(SSL* ssl) {
  const int fd = SSL_get_fd(ssl);
  BIO* bio = BIO_new(EndedSocket());
  if (bio == nullptr) std::abort();
  // NOLINTNEXTLINE(performance-no-int-to-ptr): OpenSSL keeps pointers for us, this one is a number
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set0_rbio(ssl, bio);
}

// A message of a handshake has come, or an alert answers it.
void OnWord(int written, int /*version*/, int type, const void* /*bytes*/, size_t /*size*/, SSL* ssl,
            void* /*argument*/) {
  if (type != (written != 0 ? SSL3_RT_ALERT : SSL3_RT_HANDSHAKE)) return;
  const auto words = reinterpret_cast<intptr_t>(SSL_get_ex_data(ssl, IdleWordsIndex())) + 1;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): likewise
  SSL_set_ex_data(ssl, IdleWordsIndex(), reinterpret_cast<void*>(words));
  // Each of them: a connection that is taken over from lws has another input than before.
  if (words > TlsSocket::kMostIdleWords) EndInput(ssl);
}

// Of a handshake of a server, beneath which is still the socket that lws has given to OpenSSL.
struct HelloWatch {
  const SSL* ssl;
  HelloMeter meter;

  static HelloWatch* Of(BIO* bio) { return reinterpret_cast<HelloWatch*>(BIO_get_callback_arg(bio)); }

  static void Begin(const SSL* ssl, int where, int /*value*/) {
    if (where != SSL_CB_HANDSHAKE_START || SSL_in_before(ssl) == 0) return;
    BIO* bio = SSL_get_rbio(ssl);
    if (Of(bio) != nullptr) return;
    auto watch = std::make_unique<HelloWatch>(HelloWatch{ssl, {}});
    BIO_set_callback_arg(bio, reinterpret_cast<char*>(watch.release()));
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): the BIO has it until End()
    BIO_set_callback_ex(bio, OnBio);
  }

  static void End(BIO* bio) {
    const std::unique_ptr<HelloWatch> owned(Of(bio));
    BIO_set_callback_arg(bio, nullptr);
    BIO_set_callback_ex(bio, nullptr);
  }

  // What it returns is what whoever called it gets.
  static long OnBio(BIO* bio, int what, const char* bytes, size_t /*size*/, int /*number*/, long /*number*/,
                    int result, size_t* got) {
    if (what == BIO_CB_FREE) End(bio);
    if (what != (BIO_CB_READ | BIO_CB_RETURN) || result <= 0) return result;
    HelloWatch& watch = *Of(bio);
    const bool may_ask_again = SSL_version(watch.ssl) >= TLS1_3_VERSION;
    const HelloMeter::Verdict verdict =
        watch.meter.Feed({reinterpret_cast<const uint8_t*>(bytes), *got}, may_ask_again);
    if (verdict == HelloMeter::Verdict::kTooLarge) return -1;
    if (verdict == HelloMeter::Verdict::kOver || SSL_is_init_finished(watch.ssl) != 0) End(bio);
    return result;
  }
};

// How many of `plain` bytes have left if `sent` of `size` bytes have that carry them: all only with the last.
size_t Share(size_t plain, size_t sent, size_t size) { return sent == size ? plain : plain * sent / size; }

}  // namespace

struct TlsSocket::Method {
  static TlsSocket& Of(BIO* bio) { return *static_cast<TlsSocket*>(BIO_get_data(bio)); }

  static int Write(BIO* bio, const char* data, int size) {
    TlsSocket& socket = Of(bio);
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(data), static_cast<size_t>(size));
    BIO_clear_retry_flags(bio);
    TlsBatch& batch = socket.batch_;
    if (socket.gathers_ && bytes.size() <= TlsBatch::kBytes - batch.size) {
      std::ranges::copy(bytes, batch.bytes.get() + batch.size);
      batch.size += bytes.size();
      return size;
    }
    // OpenSSL's own words stay behind what waits: it keeps them.
    const bool may_send = !socket.gathers_ && !socket.waits();
    const ptrdiff_t taken = may_send ? socket.SendNow(bytes) : 0;
    if (taken == 0) BIO_set_retry_write(bio);
    return taken == 0 ? -1 : static_cast<int>(taken);
  }

  static int Read(BIO* bio, char* into, int size) {
    TlsSocket& socket = Of(bio);
    BIO_clear_retry_flags(bio);
    if (socket.input_ == Input::kDry) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const ptrdiff_t got = Receive(socket.fd_, {reinterpret_cast<uint8_t*>(into), static_cast<size_t>(size)});
    if (got < 0 && NothingNow()) BIO_set_retry_read(bio);
    if (got == 0) socket.input_ = Input::kEnded;
    if (got > 0 && got < size) socket.input_ = Input::kDry;
    return static_cast<int>(got);
  }

  static long Control(BIO* bio, int what, long /*number*/, void* out) {
    switch (what) {
      case BIO_C_GET_FD:  // lws closes what it is told here
        if (out != nullptr) *static_cast<int*>(out) = Of(bio).fd_;
        return Of(bio).fd_;
      case BIO_CTRL_EOF:
        return Of(bio).input_ == Input::kEnded ? 1 : 0;
      case BIO_CTRL_FLUSH:
        return 1;
      default:
        return 0;
    }
  }

  static int Destroy(BIO* bio) {
    const std::unique_ptr<TlsSocket> owned(static_cast<TlsSocket*>(BIO_get_data(bio)));
    return 1;
  }

  static const BIO_METHOD* Get() {
    static const BIO_METHOD* const kMethod = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_TYPE_SOCKET, "ohws socket");
      if (made == nullptr) std::abort();  // as `new` does
      BIO_meth_set_write(made, Write);
      BIO_meth_set_read(made, Read);
      BIO_meth_set_ctrl(made, Control);
      BIO_meth_set_destroy(made, Destroy);
      return made;
    }();
    return kMethod;
  }
};

void TlsSocket::LimitIdleWords(ssl_ctx_st* context) { SSL_CTX_set_msg_callback(context, OnWord); }

void TlsSocket::LimitHellos(ssl_ctx_st* context) { SSL_CTX_set_info_callback(context, HelloWatch::Begin); }

void TlsSocket::ForgetIdleWords(ssl_st* ssl) { SSL_set_ex_data(ssl, IdleWordsIndex(), nullptr); }

void TlsSocket::PutBeneath(ssl_st* ssl, int fd, TlsBatch& batch) {
  if (batch.bytes == nullptr) batch.bytes = std::make_unique_for_overwrite<uint8_t[]>(TlsBatch::kBytes);
  BIO* bio = BIO_new(Method::Get());
  if (bio == nullptr) std::abort();
  BIO_set_data(bio, std::unique_ptr<TlsSocket>(new TlsSocket(fd, batch)).release());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
}

TlsSocket& TlsSocket::Of(const ssl_st* ssl) { return Method::Of(SSL_get_wbio(ssl)); }

void TlsSocket::BeginBatch() {
  batch_.size = 0;
  gathers_ = true;
}

bool TlsSocket::HasRoomForRecord() const { return TlsBatch::kBytes - batch_.size >= kRecordRoom; }

ptrdiff_t TlsSocket::SendBatch(size_t plain_bytes) {
  const std::span<const uint8_t> bytes(batch_.bytes.get(), std::exchange(batch_.size, 0));
  const ptrdiff_t taken = SendNow(bytes);
  if (taken < 0) return -1;
  const auto sent = static_cast<size_t>(taken);
  const size_t left = Share(plain_bytes, sent, bytes.size());
  if (const std::span<const uint8_t> rest = bytes.subspan(sent); !rest.empty()) {
    waiting_ = std::make_unique<Waiting>();
    waiting_->bytes = std::make_unique_for_overwrite<uint8_t[]>(rest.size());
    waiting_->size = rest.size();
    waiting_->plain_bytes = plain_bytes - left;
    std::ranges::copy(rest, waiting_->bytes.get());
  }
  return static_cast<ptrdiff_t>(left);
}

ptrdiff_t TlsSocket::SendWaiting() {
  if (waiting_ == nullptr) return 0;
  Waiting& waiting = *waiting_;
  const std::span<const uint8_t> rest(waiting.bytes.get() + waiting.sent, waiting.size - waiting.sent);
  const ptrdiff_t taken = SendNow(rest);
  if (taken < 0) return -1;
  const auto sent = static_cast<size_t>(taken);
  const size_t left = Share(waiting.plain_bytes, sent, rest.size());
  waiting.sent += sent;
  waiting.plain_bytes -= left;
  if (sent == rest.size()) waiting_.reset();
  return static_cast<ptrdiff_t>(left);
}

ptrdiff_t TlsSocket::SendNow(std::span<const uint8_t> bytes) const {
  const ptrdiff_t taken = Send(fd_, bytes, follows_);
  return taken < 0 && NothingNow() ? 0 : taken;
}

}  // namespace ohws
