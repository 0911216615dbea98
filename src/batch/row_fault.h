// Why a table's changes cannot be folded any further.
#pragma once

#include <string_view>

#include "model/table_state.h"

namespace re_dms {

/// Each means that continuing would be guessing, so the table is set aside.
enum class RowFault {
  None,
  KeyIsNull,
  KeyNotSent,
  FullOldTuple,
  NoFullOldTuple,
  OldRowWithoutValue,
  InsertWithoutValue,
  InsertOfPresentRow,
  ChangeOfAbsentRow,
  MoveOntoPresentRow,
  RowTooLarge,
};

/// A sentence for people.
std::string_view describe(RowFault fault);

/// Whether a copy shows what the stream cannot tell.
Remedy remedy_of(RowFault fault);

}  // namespace re_dms
