/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * script/walk.h - visiting the parts of syntax tree nodes, and copying trees.
 *
 * The visitors call back for the direct children only, in the order of evaluation; a pass that
 * wants the whole tree calls them again from its callback. The callback gets the slot that holds
 * the child, so that it may put another node there. Empty slots are left out.
 */
#ifndef SPILE_SCRIPT_WALK_H
#define SPILE_SCRIPT_WALK_H

#include "script/ast.h"

typedef void expr_visit_fn(struct expr **slot, void *arg);
typedef void stmt_visit_fn(struct stmt **slot, void *arg);

/** The expressions that `expr` is made of. */
void expr_each_child(struct expr *expr, expr_visit_fn *cb, void *arg);
/** The expressions that stand directly in `stmt`, those of its inner statements not. */
void stmt_each_expr(struct stmt *stmt, expr_visit_fn *cb, void *arg);
/** The statements directly inside `stmt`. */
void stmt_each_child(struct stmt *stmt, stmt_visit_fn *cb, void *arg);

/** A deep copy; tokens and texts are shared. NULL gives NULL. */
struct expr *expr_clone(struct arena *arena, const struct expr *expr);
struct stmt *stmt_clone(struct arena *arena, const struct stmt *stmt);

#endif
