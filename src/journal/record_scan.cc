#include "journal/record_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"

namespace re_dms {

namespace {

constexpr std::size_t kReadBytes = 1U << 20;
// A buffer that one huge record made large is given back once nothing is held.
constexpr std::size_t kIdleBufferMax = 64U << 20;

}  // namespace

RecordScan::RecordScan(FileSystem& files, std::string directory)
    : files_(files), directory_(std::move(directory)) {}

void RecordScan::open(std::uint64_t number) {
  segment_ = open_segment(files_, directory_, number);
  offset_ = segment_.header_bytes;
  crc_ = segment_.crc;
  filled_ = next_at_;
}

RecordScan::Step RecordScan::next(std::uint64_t end) {
  if (offset_ >= end) {
    return Step::End;
  }
  const std::uint64_t left = end - offset_;
  if (left < kRecordHeaderBytes) {
    return bad("the record is cut off inside its header");
  }
  if (filled_ - next_at_ < kRecordHeaderBytes && !fill(kRecordHeaderBytes, end)) {
    return bad("the file ends here although more of it was durable");
  }
  const auto body = load_le<std::uint32_t>(buffer_.get() + next_at_);
  const std::size_t size = kRecordHeaderBytes + std::size_t{body};
  if (size > left) {
    return bad(fmt::format("the record is {} bytes long, but only {} are left", size, left));
  }
  if (filled_ - next_at_ < size && !fill(size, end)) {
    return bad("the file ends here although more of it was durable");
  }
  const std::string_view record(buffer_.get() + next_at_, size);
  const std::uint32_t crc = record_crc(crc_, record);
  if (crc != load_le<std::uint32_t>(record.data() + 4)) {
    return bad("the record's CRC is wrong");
  }
  crc_ = crc;
  last_at_ = next_at_;
  next_at_ += size;
  offset_ += size;
  return Step::Record;
}

RecordView RecordScan::record() const {
  const char* at = buffer_.get() + last_at_;
  return {static_cast<RecordKind>(at[8]),
          {at + kRecordHeaderBytes, next_at_ - last_at_ - kRecordHeaderBytes}};
}

std::string_view RecordScan::held() const {
  return {buffer_.get() + held_at_, next_at_ - held_at_};
}

void RecordScan::drop() {
  held_at_ = next_at_;
  if (capacity_ > kIdleBufferMax && next_at_ == filled_) {
    buffer_.reset();
    capacity_ = held_at_ = last_at_ = next_at_ = filled_ = 0;
  }
}

/// Reads until `wanted` bytes lie behind next_at_; false when the file has no more.
bool RecordScan::fill(std::size_t wanted, std::uint64_t end) {
  make_room(std::max(wanted, kReadBytes));
  const std::size_t ahead = filled_ - next_at_;
  const std::size_t room = capacity_ - filled_;
  const std::uint64_t from = offset_ + ahead;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(room, end - from));
  filled_ += segment_.file->read_at(from, buffer_.get() + filled_, size);
  return filled_ - next_at_ >= wanted;
}

/// Makes room for `wanted` bytes behind next_at_. Moves what is held to the front only when that
/// frees a quarter of its size, and enlarges the buffer otherwise: no byte moves more than a few
/// times.
void RecordScan::make_room(std::size_t wanted) {
  if (capacity_ - next_at_ >= wanted) {
    return;
  }
  const std::size_t kept = filled_ - held_at_;
  const std::size_t needed = next_at_ - held_at_ + wanted;
  if (held_at_ >= kept / 4 && needed <= capacity_) {
    std::memmove(buffer_.get(), buffer_.get() + held_at_, kept);
  } else {
    const std::size_t capacity = std::max({needed, capacity_ + capacity_ / 2, 2 * kReadBytes});
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (kept > 0) {
      std::memcpy(larger.get(), buffer_.get() + held_at_, kept);
    }
    buffer_ = std::move(larger);
    capacity_ = capacity;
  }
  last_at_ -= std::min(held_at_, last_at_);
  next_at_ -= held_at_;
  filled_ -= held_at_;
  held_at_ = 0;
}

RecordScan::Step RecordScan::bad(std::string problem) {
  problem_ = std::move(problem);
  return Step::Bad;
}

}  // namespace re_dms
