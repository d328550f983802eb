// Where sockets are read into. Messages that JavaScript gets as views may be lent to it where they lie,
// without a copy: then what is read next goes behind them, or into another block. Engine thread; a block is
// freed when both sides have done with it.
//
// Invariants:
//  1. What was lent is not written again.
//  2. Only bytes of the last read are lent, in the order in which they lie.
//  3. JavaScript is given each block once, with the first loan of it; loans behind that are of the same one,
//     until there is another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "wire/payload_table.h"

namespace ohws {

class ReceiveMemory {
 public:
  // Of a loan and what is lost before it, this part at least is the loan: a peer cannot make an application
  // keep much memory for a short message among what is not lent.
  static constexpr size_t kLeastLentPart = 4;
  // What a read gets at most: sixteen messages of 16 KiB with their frames' headers. And what it gets at
  // least, if it asks for so much: rather than less it has a new block.
  static constexpr size_t kMostReadBytes = size_t{257} * 1024;
  static constexpr size_t kLeastReadBytes = size_t{64} * 1024;

  // `lends`: JavaScript can be given memory at all.
  explicit ReceiveMemory(bool lends) : lends_(lends) {}

  // Room for one read. What the last one brought is forgotten, except for what was lent. Empty if there is no
  // memory.
  std::span<uint8_t> Room(size_t bytes);

  struct Loan {
    uint32_t offset;  // in the block
    Payload block;    // a share of it, if JavaScript has not been given it yet
  };
  // Lends these bytes of a read. Nothing if that cannot be: they are not of the last one, or not worth it.
  std::optional<Loan> Lend(std::span<const uint8_t> bytes);

  // Bytes of the block that the next read has, if any.
  size_t held_bytes() const { return block_.size; }

 private:
  const bool lends_;
  Payload block_;
  std::span<uint8_t> room_;  // of the last read, in the block
  size_t lent_bytes_ = 0;    // of the block, with what was lost between them; 0: JavaScript has no share
};

}  // namespace ohws
