# libspile.so: the engine in a process. No vector registers anywhere in it: its hit path runs where
# the program's own are in use.
AGENT_SRC    := $(wildcard engine/core/*.c engine/arch/x86/*.c engine/host/linux-user/*.c agent/*.c)
AGENT_OBJ    := $(AGENT_SRC:%.c=$(B)/agent/%.o)
AGENT_CFLAGS := -fPIC -fvisibility=hidden -include agent/exported.h -mgeneral-regs-only \
                -fno-stack-protector

$(B)/agent/%.o: %.c agent/agent.mk | deps
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(AGENT_CFLAGS) -c $< -o $@

$(B)/libspile.so: $(AGENT_OBJ) agent/libspile.map
	$(say) LD $@
	$(Q)$(CC) -shared -o $@ $(AGENT_OBJ) -Wl,--version-script=agent/libspile.map \
	  -Wl,-soname,libspile.so -Wl,-z,defs,-z,now,-z,nodelete -Wl,--no-as-needed -lgcc_s -lpthread

all: $(B)/libspile.so
-include $(AGENT_OBJ:.o=.d)
