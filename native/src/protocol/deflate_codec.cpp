// zlib's streams, owned. One thread at a time.
#include "protocol/deflate_codec.h"

#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace ohws {
namespace {

// The end of what a compressor flushes, which is not sent (RFC 7692 §7.2.1).
constexpr std::array<uint8_t, 4> kTail = {0x00, 0x00, 0xff, 0xff};
// zlib repeats the tail if it is left with six bytes of room or less.
constexpr size_t kFlushBytes = 16;

// Every allocation of zlib is counted, its size in front of it.
constexpr size_t kSizeBytes = alignof(std::max_align_t);
static_assert(kSizeBytes >= sizeof(size_t));

void* Allocate(void* opaque, unsigned int items, unsigned int size) {
  const size_t bytes = size_t{items} * size + kSizeBytes;
  auto* const budget = static_cast<DeflateBudget*>(opaque);
  if (!budget->TryTake(bytes)) return nullptr;
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): it becomes zlib's, which calls Free
  auto* const memory = static_cast<uint8_t*>(std::malloc(bytes));
  if (memory == nullptr) {
    budget->Give(bytes);
    return nullptr;
  }
  std::memcpy(memory, &bytes, sizeof(bytes));
  return memory + kSizeBytes;
}

void Free(void* opaque, void* address) {
  auto* const memory = static_cast<uint8_t*>(address) - kSizeBytes;
  size_t bytes = 0;
  std::memcpy(&bytes, memory, sizeof(bytes));
  std::free(memory);  // NOLINT(cppcoreguidelines-owning-memory): zlib owned it
  static_cast<DeflateBudget*>(opaque)->Give(bytes);
}

std::unique_ptr<z_stream> NewStream(DeflateBudget& budget) {
  auto stream = std::make_unique<z_stream>();
  stream->zalloc = Allocate;
  stream->zfree = Free;
  stream->opaque = &budget;
  return stream;
}

DeflateDirection DirectionFrom(Role sender, const DeflateParameters& agreed) {
  return sender == Role::kServer
             ? DeflateDirection{agreed.server_max_window_bits, !agreed.server_no_context_takeover}
             : DeflateDirection{agreed.client_max_window_bits, !agreed.client_no_context_takeover};
}

// As much as zlib can be told of at once.
unsigned int Limited(size_t bytes) { return static_cast<unsigned int>(std::min<size_t>(bytes, UINT_MAX)); }

// What zlib calls a window of 8 bits is refused by it. Its window of 9 is one: it keeps 262 of the 512 bytes
// for looking ahead, so that it refers to at most 250 bytes back (the test looks at that).
constexpr int CompressorBits(uint8_t window_bits) { return -std::max<int>(window_bits, 9); }

}  // namespace

// ---------------------------------------------------------------------------------------------- compressor

Compressor::Compressor(std::unique_ptr<z_stream_s> stream) : stream_(std::move(stream)) {}

Compressor::~Compressor() { deflateEnd(stream_.get()); }

std::unique_ptr<Compressor> Compressor::Make(const Settings& settings, DeflateBudget& budget) {
  std::unique_ptr<z_stream> stream = NewStream(budget);
  if (deflateInit2(stream.get(), settings.level, Z_DEFLATED, CompressorBits(settings.window_bits),
                   settings.memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
    return nullptr;
  }
  return std::unique_ptr<Compressor>(new Compressor(std::move(stream)));
}

Payload Compressor::Compress(std::span<const uint8_t> message, bool keep_context) {
  z_stream& stream = *stream_;
  stream.next_in = message.data();
  stream.avail_in = 0;
  size_t left = message.size();
  size_t size = 0;
  Payload out;
  bool failed = false;
  do {
    if (out.size - size < kFlushBytes) {
      const size_t capacity = out.size == 0 ? message.size() / 2 + 4 * kFlushBytes : 2 * out.size;
      failed = !out.Resize(capacity);
      if (failed) break;
    }
    if (stream.avail_in == 0) {
      stream.avail_in = Limited(left);
      left -= stream.avail_in;
    }
    const unsigned int room = Limited(out.size - size);
    stream.next_out = out.data.get() + size;
    stream.avail_out = room;
    // Z_BUF_ERROR only says that all had been flushed before.
    failed = deflate(&stream, left == 0 ? Z_SYNC_FLUSH : Z_NO_FLUSH) == Z_STREAM_ERROR;
    size += room - stream.avail_out;
  } while (!failed && (stream.avail_out == 0 || stream.avail_in > 0 || left > 0));

  failed |= size <= kTail.size() || std::memcmp(out.data.get() + size - kTail.size(), kTail.data(), 4) != 0;
  if (failed || !keep_context) deflateReset(&stream);
  if (failed) return {};
  out.size = size - kTail.size();
  return out;
}

// -------------------------------------------------------------------------------------------- decompressor

Decompressor::Decompressor(DeflateDirection direction)
    : direction_(direction), memory_(MaxBytes(direction.window_bits)) {}

Decompressor::~Decompressor() { Close(); }

bool Decompressor::Open() {
  if (stream_ != nullptr) return true;
  stream_ = NewStream(memory_);
  if (inflateInit2(stream_.get(), -int{direction_.window_bits}) == Z_OK) return true;
  stream_.reset();
  return false;
}

void Decompressor::Close() {
  if (stream_ != nullptr) inflateEnd(stream_.get());
  stream_.reset();
}

// Inflates until the room is used up or the input is.
Decompressor::Step Decompressor::Inflate() {
  for (;;) {
    switch (inflate(stream_.get(), Z_SYNC_FLUSH)) {
      case Z_OK:
        // There may be more output of what has been taken in if there is no room left.
        return stream_->avail_out == 0 ? Step::kMore : Step::kAllTaken;
      case Z_BUF_ERROR:  // there was nothing to do
        return Step::kAllTaken;
      case Z_STREAM_END:
        // A block with BFINAL: others may follow (RFC 7692 §7.2.3.4).
        if (!Continue()) return Step::kNoMemory;
        if (stream_->avail_out == 0) return Step::kMore;
        if (stream_->avail_in == 0) return Step::kAllTaken;
        break;
      case Z_MEM_ERROR:
        return Step::kNoMemory;
      default:
        return Step::kCorrupt;
    }
  }
}

// Begins a stream with the window of the one that has ended.
bool Decompressor::Continue() {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): 32 KiB, of which zlib fills what is used
  std::array<uint8_t, size_t{1} << kMaxWindowBits> window;
  unsigned int bytes = 0;
  inflated_bytes_ += 2 * window.size();
  return inflateGetDictionary(stream_.get(), window.data(), &bytes) == Z_OK &&
         inflateReset(stream_.get()) == Z_OK &&
         inflateSetDictionary(stream_.get(), window.data(), bytes) == Z_OK;
}

// With its tail, a message ends where a block ends, and at a whole byte; or where Continue() has begun anew.
bool Decompressor::AtMessageEnd() const {
  constexpr int kBetweenBlocks = 128;  // and no bits left over
  return stream_->data_type == kBetweenBlocks || stream_->total_in == 0;
}

MessageAssembler::Status Decompressor::Feed(const FramePiece& chunk, std::span<uint8_t> scratch,
                                            MessageAssembler& assembler) {
  using Status = MessageAssembler::Status;
  if (!Open()) return Status::kTooLarge;
  z_stream& stream = *stream_;
  FramePiece piece;
  piece.data = scratch.data();
  piece.first = chunk.first;
  piece.binary = chunk.binary;
  piece.open_ended = true;
  stream.next_out = scratch.data();
  stream.avail_out = Limited(scratch.size());

  std::span<const uint8_t> rest(chunk.data, chunk.size);
  bool tail_given = !chunk.last;
  stream.next_in = nullptr;
  stream.avail_in = 0;
  for (;;) {
    if (stream.avail_in == 0) {
      stream.next_in = rest.data();
      stream.avail_in = Limited(rest.size());
      rest = rest.subspan(stream.avail_in);
    }
    const Step step = Inflate();
    if (step == Step::kCorrupt) return Status::kCorrupt;
    if (step == Step::kNoMemory) return Status::kTooLarge;
    if (step == Step::kAllTaken) {
      if (!rest.empty()) continue;
      if (tail_given) break;
      rest = kTail;
      tail_given = true;
      continue;
    }
    piece.size = scratch.size();
    inflated_bytes_ += piece.size;
    const Status status = assembler.Feed(piece);
    if (status != Status::kPartial) return status;
    piece.first = false;
    stream.next_out = scratch.data();
    stream.avail_out = Limited(scratch.size());
  }
  piece.size = scratch.size() - stream.avail_out;
  inflated_bytes_ += piece.size;
  piece.last = chunk.last;
  piece.open_ended = chunk.remaining != 0;
  if (chunk.last && !AtMessageEnd()) return Status::kCorrupt;
  if (chunk.last && !direction_.keeps_context) Close();
  return assembler.Feed(piece);
}

// ------------------------------------------------------------------------------------ workspace and session

std::span<uint8_t> DeflateWorkspace::scratch() {
  if (scratch_.empty()) scratch_.resize(kScratchBytes);
  return scratch_;
}

Compressor* DeflateWorkspace::SharedCompressor(const Compressor::Settings& settings) {
  std::unique_ptr<Compressor>& compressor = shared_[settings];
  if (compressor == nullptr) compressor = Compressor::Make(settings, budget_);
  return compressor.get();
}

DeflateSession::DeflateSession(Role role, const DeflateOptions& options, const DeflateParameters& agreed,
                               DeflateReservation reservation, DeflateWorkspace& workspace)
    : reservation_(std::move(reservation)),
      workspace_(workspace),
      threshold_bytes_(options.threshold_bytes),
      out_(DirectionFrom(role, agreed)),
      settings_{out_.window_bits, options.level, options.memory_level},
      decompressor_(DirectionFrom(role == Role::kClient ? Role::kServer : Role::kClient, agreed)) {
  reservation_.ShrinkTo(decompressor_.max_bytes());
}

MessageAssembler::Status DeflateSession::Receive(const FramePiece& piece, MessageAssembler& assembler) {
  if (!piece.compressed) return assembler.Feed(piece);
  const uint64_t before = decompressor_.inflated_bytes();
  const MessageAssembler::Status status = decompressor_.Feed(piece, workspace_.scratch(), assembler);
  workspace_.CountInflated(decompressor_.inflated_bytes() - before);
  return status;
}

Payload DeflateSession::Compress(std::span<const uint8_t> message) {
  if (message.empty() || message.size() < threshold_bytes_) return {};
  Compressor* compressor = nullptr;
  if (out_.keeps_context) {
    if (compressor_ == nullptr) compressor_ = Compressor::Make(settings_, workspace_.budget());
    compressor = compressor_.get();
  } else {
    compressor = workspace_.SharedCompressor(settings_);
  }
  return compressor == nullptr ? Payload{} : compressor->Compress(message, out_.keeps_context);
}

}  // namespace ohws
