# Manual pages of the tapset's functions, macros and probe aliases.
.PHONY: man
man: ## manual pages of the tapset, in build/man/man3
	@rm -rf $(B)/man/man3 && mkdir -p $(B)/man/man3
	@awk -v out=$(B)/man/man3 -f tapset/man.awk tapset/*.stp tapset/*.stpm
